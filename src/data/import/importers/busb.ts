import { DataError } from '../../../util/index.js';
import { tablesOf } from '../readers/lookup.js';
import { pairFiles } from '../readers/pairs.js';
import { readTable } from '../readers/table.js';
import type { Found, Importer, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile } from './common.js';

/** BUS, "Dataset B": numbered images and masks, the class in a table. */
export const busb: Importer = {
  name: 'busb',
  title: 'BUS-B',
  aliases: ['bus', 'udiat', 'datasetb'],
  organ: 'breast',
  published: { count: 163, of: 'images' },
  source: 'http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php (on request)',
  layout: 'BUS/original/NNNNNN.png, BUS/GT/NNNNNN.png and DatasetB.csv (or .xlsx)',
  paper: { key: 'busb', contours: { keep: 'last' } },
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const found = pairFiles(tree.files, {
    image: imageFile('original/(?<id>\\d+)'),
    mask: imageFile('GT/(?<id>\\d+)'),
    numeric: true,
  });
  if (found.pairs.length === 0) return { records: [], problems: found.problems };
  const [table] = tablesOf(tree, /dataset|bus|class|label/i);
  if (table === undefined)
    throw new DataError({
      code: 'E_DATASET_NOT_FOUND',
      where: tree.root,
      what: 'the table with the classes is not there',
      fix: 'Put DatasetB.csv (or .xlsx), which comes with the images, beside them',
    });
  const problems: Problem[] = [...found.problems];
  const byNumber = new Map(found.pairs.map((pair) => [Number(pair.names['id']), pair]));
  // The first two columns, whatever their names: number and class.
  const records = (await readTable(table.path)).flatMap((row): SourceRecord[] => {
    const [id = '', label = ''] = Object.values(row);
    const number = Number(id.replace(/\.\w+$/, ''));
    const pair = byNumber.get(number);
    byNumber.delete(number);
    const name = label.toLowerCase();
    if (id === '') return [];
    if (pair === undefined) {
      // An image without a mask has already been reported.
      const told = problems.some(({ file }) => Number(/(\d+)\.\w+$/.exec(file)?.[1]) === number);
      if (!told) problems.push({ file: table.relative, what: `it lists ${id}, which is not among the images` });
      return [];
    }
    if (name !== 'benign' && name !== 'malignant') {
      problems.push({ file: pair.image.relative, what: `its class is ${label || 'empty'}, not benign or malignant` });
      return [];
    }
    const stem = pair.names['id'] as string;
    const masks = pair.masks.map((mask) => ({ kind: 'file', file: mask.path, read: { as: 'bright', class: name } }) as const);
    return [{ name: stem, image: { file: pair.image.path }, masks, group: stem }];
  });
  for (const { image } of byNumber.values()) problems.push({ file: image.relative, what: 'it is not in the table' });
  return { records, problems };
}
