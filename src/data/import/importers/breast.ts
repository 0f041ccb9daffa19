import { DataError } from '../../../util/index.js';
import type { TreeFile } from '../file-tree.js';
import { FileLookup, tablesOf } from '../readers/lookup.js';
import { column, type Row, readTable } from '../readers/table.js';
import type { Found, Importer, MaskSource, Problem, ScanOptions, SourceRecord } from '../types.js';
import { imageFile } from './common.js';

const CASE = imageFile('case[^/]*?');
const OTHER = imageFile('case[^/]*_other\\d*');

/** BrEaST: a flat folder of images and masks, and a table with the class of each case. */
export const breast: Importer = {
  name: 'breast',
  title: 'BrEaST',
  aliases: ['brest', 'breast-lesions-usg', 'breastlesionsusg'],
  organ: 'breast',
  published: { count: 256, of: 'images' },
  source: 'https://www.cancerimagingarchive.net/collection/breast-lesions-usg/',
  layout:
    'BrEaST-Lesions_USG-images_and_masks/caseNNN.png, caseNNN_tumor.png and BrEaST-Lesions-USG-clinical-data-….xlsx (or .csv)',
  paper: { key: 'breast', contours: { keep: 'last' } },
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const pictures = tree.files.filter(({ full }) => CASE.test(full) && !OTHER.test(full));
  const others = tree.files.filter(({ full }) => OTHER.test(full)).length;
  if (pictures.length === 0) return { records: [], problems: [] };
  const { rows, file } = await clinicalTable(tablesOf(tree, /./), tree.root);
  const imageOf = column(rows, ['image_filename'], file);
  const maskOf = column(rows, ['mask_tumor_filename', 'mask_filename'], file);
  const classOf = column(rows, ['classification'], file);
  const caseOf = column(rows, ['caseid', 'case_id', 'image_filename'], file);
  const lookup = new FileLookup(pictures);
  const problems: Problem[] = [];
  const records = rows.flatMap((row): SourceRecord[] => {
    if (imageOf(row) === '') return [];
    const image = lookup.find(imageOf(row));
    const named = maskOf(row);
    const masks =
      named === '' || named === 'nan' ? [] : named.split('&').map((name) => ({ name, file: lookup.find(name.trim()) }));
    if (image === undefined) {
      problems.push({ file: imageOf(row), what: `it is in the table and not among the images` });
      return [];
    }
    const missing = masks.find((mask) => mask.file === undefined);
    const label = classOf(row).toLowerCase();
    if (missing !== undefined) problems.push({ file: image.relative, what: `its mask ${missing.name.trim()} is missing` });
    else if (masks.length > 0 && label !== 'benign' && label !== 'malignant')
      problems.push({ file: image.relative, what: `its class is ${label || 'empty'}, not benign or malignant` });
    else
      return [
        recordOf(
          image,
          masks.flatMap((mask) => mask.file ?? []),
          label,
          caseOf(row),
        ),
      ];
    return [];
  });
  for (const rest of lookup.unused())
    problems.push({
      file: rest.relative,
      what: /_tumor/i.test(rest.relative) ? 'a mask without its image' : 'it is not in the table',
    });
  const notes = others > 0 ? [`masks of other findings (caseNNN_otherK.png) have no class and are not imported: ${others}`] : [];
  return { records, problems, notes };
}

function recordOf(image: TreeFile, masks: readonly TreeFile[], label: string, group: string): SourceRecord {
  const name = image.relative.slice(image.relative.lastIndexOf('/') + 1).replace(/\.\w+$/, '');
  const sources = masks.map((mask): MaskSource => ({ kind: 'file', file: mask.path, read: { as: 'bright', class: label } }));
  return { name, image: { file: image.path }, masks: sources, group: `case ${group}` };
}

/** The first table that names images and their classes. */
async function clinicalTable(tables: readonly TreeFile[], root: string): Promise<{ rows: Row[]; file: string }> {
  for (const { path: file } of tables) {
    const rows = await readTable(file);
    const [first] = rows;
    if (first?.['image_filename'] !== undefined && first['classification'] !== undefined) return { rows, file };
  }
  throw new DataError({
    code: 'E_DATASET_NOT_FOUND',
    where: root,
    what: 'the table with the classes is not there',
    fix: 'Put BrEaST-Lesions-USG-clinical-data-….xlsx, a download of its own, beside the images',
  });
}
