import type { Split } from '../../coco.js';
import type { TreeFile } from '../file-tree.js';
import { FileLookup } from '../readers/lookup.js';
import { column, type Row, readTable } from '../readers/table.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';

const COLUMNS = [
  'label_name',
  'bbox_x',
  'bbox_y',
  'bbox_width',
  'bbox_height',
  'image_name',
  'image_width',
  'image_height',
  'dataset',
] as const;

/** Tables and folders of each split. Training images have boxes but no masks. */
const SPLITS: Readonly<Record<Split, string>> = { train: 'train', val: 'val', test: 'test_image' };

/** The output of the published preprocessing: a table and a folder per split, and masks of the test split. */
export const paperCsv: Importer = {
  name: 'paper-csv',
  title: 'the published code’s CSV',
  aliases: ['papercsv', 'multimodal-data'],
  organ: 'any',
  source: 'the published code',
  layout: '{train,val,test}.CSV with train/, val/, test_image/ and test_mask/',
  keepsSplits: true,
  warning: () =>
    'the published code divides single outlines, not patients: the same image, volume or patient may be in training and test',
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const problems: Problem[] = [];
  const records: SourceRecord[] = [];
  for (const split of ['train', 'val', 'test'] as const) {
    const table = tree.files.find(({ relative }) => new RegExp(`(?:^|/)${split}\\.csv$`, 'i').test(relative));
    if (table === undefined) continue;
    const inFolder = (folder: string) =>
      new FileLookup(tree.files.filter(({ relative }) => new RegExp(`(?:^|/)${folder}/[^/]+$`, 'i').test(relative)));
    const [images, masks] = [inFolder(SPLITS[split]), split === 'test' ? inFolder('test_mask') : undefined];
    const { rows, value } = await readRows(table);
    for (const [name, own] of byImage(rows, value)) {
      const image = images.find(name);
      const mask = masks?.find(name);
      if (image === undefined)
        problems.push({ file: name, what: `${table.relative} lists it, but it is not in ${SPLITS[split]}/` });
      else if (masks !== undefined && mask === undefined)
        problems.push({ file: image.relative, what: 'its mask is not in test_mask/' });
      else records.push(recordOf(split, image, mask, own, value));
    }
    for (const rest of images.unused()) problems.push({ file: rest.relative, what: `it is not in ${table.relative}` });
  }
  return { records, problems };
}

type Value = (row: Row, name: (typeof COLUMNS)[number]) => string;

/** With or without a header; a table that was appended to twice has two. */
async function readRows({ path }: TreeFile): Promise<{ readonly rows: readonly Row[]; readonly value: Value }> {
  const rows = (await readTable(path, COLUMNS)).filter((row) => row['label_name']?.toLowerCase() !== 'label_name');
  const get = new Map(COLUMNS.map((name) => [name, column(rows, [name], path)]));
  return { rows, value: (row, name) => get.get(name)?.(row) ?? '' };
}

function byImage(rows: readonly Row[], value: Value): Map<string, Row[]> {
  const images = new Map<string, Row[]>();
  for (const row of rows) {
    const name = value(row, 'image_name');
    if (name === '') continue;
    const own = images.get(name);
    if (own === undefined) images.set(name, [row]);
    else own.push(row);
  }
  return images;
}

function recordOf(split: Split, image: TreeFile, mask: TreeFile | undefined, rows: readonly Row[], value: Value): SourceRecord {
  const name = image.relative.slice(image.relative.lastIndexOf('/') + 1).replace(/\.\w+$/, '');
  const number = (row: Row, column: (typeof COLUMNS)[number]) => Number(value(row, column));
  const masks = rows.map((row): MaskSource => {
    const bbox = (['bbox_x', 'bbox_y', 'bbox_width', 'bbox_height'] as const).map((own) => number(row, own));
    return {
      kind: 'box',
      class: value(row, 'label_name').toLowerCase(),
      bbox: bbox as [number, number, number, number],
      // Boxes are in pixels of the mask, whose size may differ.
      size: [number(row, 'image_width'), number(row, 'image_height')],
      ...(mask === undefined ? {} : { within: mask.path }),
    };
  });
  return { name: `${split}-${name}`, image: { file: image.path }, masks, group: name, split };
}
