import { readFile } from 'node:fs/promises';
import type { Part } from '../../coco.js';
import { type CocoAnnotation, type CocoFile, type CocoImage, parseCocoFile } from '../../coco-schema.js';
import type { FileTree, TreeFile } from '../file-tree.js';
import { FileLookup } from '../readers/lookup.js';
import { partNamed } from '../readers/part-named.js';
import type { Adapter, Found, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { picture } from './common.js';

/** Any COCO detection set: parts from the names of files or folders, masks as polygons, RLE or files. */
export const coco: Adapter = {
  name: 'coco',
  title: 'COCO',
  aliases: ['coco-json'],
  organ: 'any',
  source: 'your own annotations',
  layout: 'annotations/{train,val,test}.json (or one .json) with images in any folder beside it',
  keepsParts: true,
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const problems: Problem[] = [];
  const records: SourceRecord[] = [];
  const pictures = tree.files.filter(({ full }) => picture('[^/]+').test(full));
  const all = new FileLookup(pictures);
  const masks = new FileLookup(pictures.filter(({ full }) => picture('masks/.*').test(full)));
  for (const file of tree.files.filter(({ relative }) => /\.json$/i.test(relative))) {
    const text = await readFile(file.path, 'utf8');
    // Other JSON files lie beside annotations often.
    if (!/"images"\s*:/.test(text) || !/"annotations"\s*:/.test(text)) continue;
    records.push(...recordsOf(parseCocoFile(text, file.path), file, { tree, all, masks, problems }));
  }
  return { records, problems };
}

interface Surroundings {
  readonly tree: FileTree;
  readonly all: FileLookup;
  readonly masks: FileLookup;
  readonly problems: Problem[];
}

function recordsOf({ images, annotations, categories }: CocoFile, file: TreeFile, around: Surroundings): SourceRecord[] {
  const part = partNamed(file.relative);
  const names = new Map(categories.map(({ id, name }) => [String(id), name]));
  const byImage = new Map<string, CocoAnnotation[]>();
  for (const annotation of annotations) {
    const key = String(annotation.image_id);
    const own = byImage.get(key);
    if (own === undefined) byImage.set(key, [annotation]);
    else own.push(annotation);
  }
  return images.flatMap((image): SourceRecord[] => {
    const found = near(file, image.file_name, around.tree) ?? around.all.find(image.file_name);
    if (found === undefined) {
      around.problems.push({ file: image.file_name, what: `${file.relative} lists it, but it is not there` });
      return [];
    }
    const masks = (byImage.get(String(image.id)) ?? []).flatMap((annotation) => {
      const source = sourceOf(annotation, image, names, around);
      if (typeof source !== 'string') return [source];
      around.problems.push({ file: file.relative, what: `annotation ${annotation.id}: ${source}` });
      return [];
    });
    return [record(image, found, masks, part)];
  });
}

function record(image: CocoImage, file: TreeFile, masks: readonly MaskSource[], part: Part | undefined): SourceRecord {
  return {
    name: `${part === undefined ? '' : `${part}-`}${image.file_name.replace(/\.\w+$/, '')}`,
    image: { file: file.path },
    masks,
    group: String(image.group ?? image.file_name),
    ...(image.phrases === undefined ? {} : { asked: image.phrases }),
    ...(part === undefined ? {} : { part }),
    ...(image.pixel_spacing_mm === undefined ? {} : { spacingMm: image.pixel_spacing_mm }),
  };
}

/** The image where COCO has it: beside the annotations, or under `images/`. */
function near(annotations: TreeFile, name: string, tree: FileTree): TreeFile | undefined {
  const folder = annotations.relative.split('/').slice(0, -1);
  const places = [folder, folder.slice(0, -1)].flatMap((base) => [
    [...base, name],
    [...base, 'images', name],
  ]);
  for (const place of places) {
    const found = tree.at(place.join('/'));
    if (found !== undefined) return found;
  }
  return undefined;
}

function sourceOf(
  annotation: CocoAnnotation,
  image: CocoImage,
  names: ReadonlyMap<string, string>,
  { masks }: Surroundings,
): MaskSource | string {
  const phrase = annotation.caption ?? names.get(String(annotation.category_id));
  if (phrase === undefined) return 'it has neither a known category nor a caption';
  const { segmentation, bbox, mask_file: maskFile } = annotation;
  if (maskFile !== undefined) {
    const mask = masks.find(maskFile);
    if (mask === undefined) return `its mask ${maskFile} is missing`;
    return { kind: 'file', file: mask.path, read: { as: 'bright', class: phrase }, whole: true };
  }
  if (segmentation !== undefined && !Array.isArray(segmentation)) {
    const { size, counts } = segmentation;
    if (image.width !== undefined && image.width !== size[1]) return `its RLE is ${size[1]} wide, its image ${image.width}`;
    return { kind: 'rle', class: phrase, size, counts };
  }
  if (segmentation !== undefined && segmentation.length > 0) return { kind: 'polygons', class: phrase, polygons: segmentation };
  return bbox === undefined ? 'it has no bbox, no segmentation and no mask_file' : { kind: 'box', class: phrase, bbox };
}
