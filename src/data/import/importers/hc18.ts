import { tablesOf } from '../readers/lookup.js';
import { pairFiles } from '../readers/pairs.js';
import { readTable } from '../readers/table.js';
import type { Found, Importer, Problem, ScanOptions } from '../types.js';
import { imageFile, path } from './common.js';

/** Width and height of all published images. */
const PUBLISHED = [800, 540] as const;

/** HC18: outlines of the fetal head, several images per subject, pixel size in millimetres in a table. */
export const hc18: Importer = {
  name: 'hc18',
  title: 'HC18',
  aliases: ['hc-18', 'fetal-head'],
  organ: 'fetal head',
  published: { count: 999, of: 'images' },
  source: 'https://doi.org/10.5281/zenodo.1322001',
  layout:
    'training_set/NNN_HC.png and training_set/NNN_HC_Annotation.png (outlines; filled ones may lie in a folder of their own), training_set_pixel_size_and_HC.csv',
  scan,
};

async function scan({ tree }: ScanOptions): Promise<Found> {
  const { pairs, problems: unpaired } = pairFiles(tree.files, {
    image: imageFile('(?<id>\\d+_\\d*HC)'),
    mask: imageFile('(?<id>\\d+_\\d*HC)_Annotation'),
    // Published without outlines.
    ignore: path('test_set/'),
  });
  const problems: Problem[] = [...unpaired];
  if (pairs.length === 0) return { records: [], problems };
  const [table] = tablesOf(tree, /^training_set_pixel_size/i);
  const notes = table === undefined ? ['training_set_pixel_size_and_HC.csv is not there: nothing says how large a pixel is'] : [];
  const sizes = new Map<string, number>();
  for (const row of table === undefined ? [] : await readTable(table.path)) {
    const size = Number(row['pixel size(mm)'] ?? Object.values(row)[1]);
    if (size > 0) sizes.set((row['filename'] ?? Object.values(row)[0] ?? '').replace(/\.\w+$/, '').toLowerCase(), size);
  }
  const records = pairs.map(({ image, masks, names }) => {
    const id = names['id'] as string;
    const size = sizes.get(id);
    if (size === undefined && table !== undefined)
      problems.push({
        file: image.relative,
        what: `${table.relative} does not say how large its pixels are; it is imported without`,
      });
    return {
      name: id,
      image: { file: image.path },
      masks: masks.map((mask) => ({ kind: 'outline', file: mask.path, class: 'head' }) as const),
      // NNN_2HC is another image of subject NNN.
      group: `subject ${id.split('_')[0]}`,
      publishedSize: PUBLISHED,
      ...(size === undefined ? {} : { spacingMm: [size, size] as const }),
    };
  });
  return { records, problems, notes };
}
