import { DataError } from '../../../util/index.js';
import { tablesOf } from '../readers/lookup.js';
import { pairFiles } from '../readers/pairs.js';
import { column, readTable } from '../readers/table.js';
import type { Found, Importer, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile } from './common.js';

/** BUS-BRA, unseen: one lesion per image; patient and class in a table. */
export const busbra: Importer = {
  name: 'busbra',
  title: 'BUS-BRA',
  aliases: ['bus_bra'],
  organ: 'breast',
  published: { count: 1875, of: 'images' },
  source: 'https://zenodo.org/records/8231412',
  layout: 'BUSBRA/Images/bus_NNNN-l.png, BUSBRA/Masks/mask_NNNN-l.png and BUSBRA/bus_data.csv',
  unseen: true,
  paper: { key: 'busbra' },
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const found = pairFiles(tree.files, {
    image: imageFile('images?/bus_(?<id>[^/]+)'),
    mask: imageFile('masks?/mask_(?<id>[^/]+)'),
  });
  if (found.pairs.length === 0) return { records: [], problems: found.problems };
  const [table] = tablesOf(tree, /^bus_data\b/i);
  if (table === undefined)
    throw new DataError({
      code: 'E_DATASET_NOT_FOUND',
      where: tree.root,
      what: 'bus_data.csv is not there',
      fix: 'Copy it, from the same archive, beside Images/',
    });
  const rows = await readTable(table.path);
  const idOf = column(rows, ['id'], table.path);
  const caseOf = column(rows, ['case'], table.path);
  const classOf = column(rows, ['pathology'], table.path);
  const problems: Problem[] = [...found.problems];
  const byId = new Map(found.pairs.map((pair) => [pair.names['id'] as string, pair]));
  const incomplete = problems.map(({ file }) => file.toLowerCase());
  const records = rows.flatMap((row): SourceRecord[] => {
    const id = idOf(row).toLowerCase().replace(/^bus_/, '');
    const label = classOf(row).toLowerCase();
    const pair = byId.get(id);
    byId.delete(id);
    if (pair === undefined) {
      if (id !== '' && !incomplete.some((file) => file.includes(`_${id}.`)))
        problems.push({ file: table.relative, what: `it lists bus_${id}, which is not among the images` });
      return [];
    }
    if (label !== 'benign' && label !== 'malignant') {
      problems.push({ file: pair.image.relative, what: `its pathology is ${label || 'empty'}, not benign or malignant` });
      return [];
    }
    const masks = pair.masks.map((mask) => ({ kind: 'file', file: mask.path, read: { as: 'bright', class: label } }) as const);
    const [width, height] = [Number(row['width']), Number(row['height'])];
    const known = width > 0 && height > 0;
    return [
      {
        name: `bus_${id}`,
        image: { file: pair.image.path },
        masks,
        group: `case ${caseOf(row)}`,
        ...(known ? { publishedSize: [width, height] as const } : {}),
      },
    ];
  });
  for (const { image } of byId.values()) problems.push({ file: image.relative, what: `it is not in ${table.relative}` });
  return { records, problems };
}
