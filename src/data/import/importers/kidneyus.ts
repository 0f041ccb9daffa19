import type { TreeFile } from '../file-tree.js';
import { FileLookup, tablesOf } from '../readers/lookup.js';
import { readVia, type ViaImage } from '../readers/via.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile, path } from './common.js';

/**
 * Anatomy in the table, class name here, and value in the region masks. The published code ignores the anatomy: it uses the
 * number of a region within its image as an index into this list.
 */
const STRUCTURES = [
  { anatomy: 'capsule', class: 'capsule' },
  { anatomy: 'central echo complex', class: 'central echo complex', value: 1 },
  { anatomy: 'medulla', class: 'medulla', value: 2 },
  { anatomy: 'cortex', class: 'cortex', value: 3 },
] as const;

const REGIONS = { 1: 'central echo complex', 2: 'medulla', 3: 'cortex' } as const;

/** kidneyUS: outlines in a VGG Image Annotator table, and masks drawn from them. */
export const kidneyus: Importer = {
  name: 'kidneyus',
  title: 'kidneyUS',
  aliases: ['kidnyus', 'kidney', 'open-kidney-ultrasound'],
  organ: 'kidney',
  published: { count: 534, of: 'images' },
  source: 'https://github.com/rsingla92/kidneyUS',
  layout:
    'kidneyUS-main/labels/reviewed_labels_2.csv, kidneyUS-main/labels/reviewed_masks_2/{capsule,regions}/NAME.png and the images (a download of their own) in any folder',
  variants: ['reviewer-2', 'reviewer-1'],
  paper: { key: 'kidnyus' },
  warning: ({ protocol }) =>
    protocol === 'paper'
      ? 'the published code names a structure by the number of its row, and takes cortex, medulla and central echo complex together as the mask of each'
      : undefined,
  scan: async (options) => {
    const sources = await collect(options);
    if (sources === undefined) return { records: [], problems: [] };
    const found = options.protocol === 'paper' ? published(sources) : strict(sources);
    return { ...found, notes: sources.notes };
  },
};

interface Sources {
  readonly images: FileLookup;
  readonly capsules: FileLookup;
  readonly regions: FileLookup;
  readonly listed: readonly ViaImage[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

async function collect({ tree, variant }: ScanOptions): Promise<Sources | undefined> {
  const wanted = variant.endsWith('1') ? 1 : 2;
  const tables = [wanted, 3 - wanted].flatMap((reviewer) =>
    tablesOf(tree, new RegExp(`^reviewed_labels_${reviewer}\\b`, 'i')).map((table) => ({ reviewer, table })),
  );
  const [first] = tables;
  if (first === undefined) return undefined;
  const { reviewer, table } = first;
  const masks = /(?:^|\/)reviewed_masks_\d[^/]*\//i;
  const own = (folder: string) => tree.files.filter(({ full }) => path(`reviewed_masks_${reviewer}/${folder}/`).test(full));
  const isImage = ({ full }: TreeFile) => imageFile('[^/]+').test(full) && !masks.test(full);
  const { images: listed, problems } = await readVia(table.path, table.relative);
  return {
    images: new FileLookup(tree.files.filter(isImage)),
    capsules: new FileLookup(own('capsule')),
    regions: new FileLookup(own('regions')),
    listed,
    problems,
    notes:
      reviewer === wanted ? [] : [`reviewed_labels_${wanted}.csv is not there: the outlines are those of reviewer ${reviewer}`],
  };
}

/** Classes by the table's anatomy; pixels from the drawn masks; each outline of the table is an object. */
function strict({ images, capsules, regions, listed, problems: before }: Sources): Found {
  const problems: Problem[] = [...before];
  const records = listed.flatMap(({ file, shapes }): SourceRecord[] => {
    const image = images.find(file);
    if (image === undefined) {
      problems.push({ file, what: 'it is in the table and not among the images' });
      return [];
    }
    const instances = shapes.flatMap(({ anatomy, polygon }) => {
      const structure = STRUCTURES.find((known) => known.anatomy === anatomy);
      if (structure === undefined) problems.push({ file, what: `the table names an anatomy "${anatomy}", which is left out` });
      return structure === undefined ? [] : [{ class: structure.class as string, polygon }];
    });
    const masks = listMasks(instances, capsules.find(file), regions.find(file));
    return [{ name: stemOf(file), image: { file: image.path }, masks, group: patientOf(file) }];
  });
  for (const rest of images.unused()) problems.push({ file: rest.relative, what: 'it is not in the table' });
  return { records, problems };
}

/** Masks if there are any, otherwise outlines only. */
function listMasks(
  instances: readonly { readonly class: string; readonly polygon: readonly number[] }[],
  capsule: TreeFile | undefined,
  regions: TreeFile | undefined,
): MaskSource[] {
  const isCapsule = (instance: { readonly class: string }) => instance.class === 'capsule';
  const outlines = (own: typeof instances): MaskSource[] =>
    own.map(({ class: name, polygon }) => ({ kind: 'polygons', class: name, polygons: [polygon], drawn: true }));
  const inner = instances.filter((instance) => !isCapsule(instance));
  const outer = instances.filter(isCapsule);
  return [
    ...(capsule === undefined || outer.length === 0
      ? outlines(outer)
      : [{ kind: 'file', file: capsule.path, read: { as: 'values', classes: { 1: 'capsule' } }, instances: outer } as const]),
    ...(regions === undefined || inner.length === 0
      ? outlines(inner)
      : [{ kind: 'file', file: regions.path, read: { as: 'values', classes: REGIONS }, instances: inner } as const]),
  ];
}

/** One row per outer contour of the mask that the published code opens for a table row. */
function published({ images, capsules, regions, listed, problems: before }: Sources): Found {
  const problems: Problem[] = [...before];
  const rows = listed.flatMap(({ file, shapes }) => {
    const image = images.find(file);
    if (image === undefined) problems.push({ file, what: 'it is in the table and not among the images' });
    return image === undefined ? [] : shapes.map((shape) => ({ file, image, shapes, shape }));
  });
  // The table order decides the split of each row.
  rows.sort((a, b) => a.shape.row - b.shape.row);
  const records = rows.flatMap(({ file, image, shapes, shape: { region, polygon } }): SourceRecord[] => {
    const structure = STRUCTURES[region];
    if (structure === undefined) return [];
    const mask = region === 0 ? capsules.find(file) : regions.find(file);
    const source: MaskSource =
      mask === undefined
        ? { kind: 'polygons', class: structure.class, polygons: unionOf(region, shapes, polygon), drawn: true }
        : { kind: 'file', file: mask.path, read: { as: 'bright', class: structure.class } };
    const name = `${stemOf(file)}_${structure.anatomy}`;
    return [{ name, image: { file: image.path }, masks: [source], group: patientOf(file) }];
  });
  return { records, problems };
}

/** Without drawn masks: the capsule's outline, or the union of all others. */
function unionOf(region: number, shapes: ViaImage['shapes'], own: readonly number[]): (readonly number[])[] {
  return region === 0 ? [own] : shapes.filter(({ anatomy }) => anatomy !== 'capsule').map(({ polygon }) => polygon);
}

function stemOf(file: string): string {
  return file.replace(/\.\w+$/, '');
}

/** The second field of a name is the study: twenty images occur twice under different first fields. */
function patientOf(file: string): string {
  return file.split('_')[1] ?? stemOf(file);
}
