import { readFile } from 'node:fs/promises';
import type { FileTree } from '../file-tree.js';
import { maskFolders } from '../readers/pairs.js';
import type { Importer, SourceRecord } from '../types.js';
import { imageFile } from './common.js';

/** TN3K: JPEG masks; both splits are numbered from 0000. */
export const tn3k: Importer = {
  name: 'tn3k',
  title: 'TN3K',
  aliases: [],
  organ: 'thyroid',
  published: { count: 3493, of: 'images' },
  source: 'https://github.com/haifangong/TRFE-Net-for-thyroid-nodule-segmentation',
  layout: 'tn3k/{trainval,test}-image/NNNN.jpg and tn3k/{trainval,test}-mask/NNNN.jpg',
  officialSplits: 'trainval and test; tn3k-trainval-fold0.json, if it is there, says what validates',
  paper: { key: 'tn3k', contours: { keep: 'largest', count: 2, minArea: 300 }, copies: true },
  warning: () => 'TN3K does not state which images are of one patient: it is split by image',
  scan: async (options) => {
    const found = await maskFolders({
      image: imageFile('(?<split>trainval|test)-image/(?<id>\\d+)'),
      mask: imageFile('(?<split>trainval|test)-mask/(?<id>\\d+)'),
      name: (names) => `${names['split']}-${names['id']}`,
      read: () => ({ as: 'bright', class: 'nodule' }),
      split: (names) => (names['split'] === 'test' ? 'test' : undefined),
    })(options);
    if (!options.officialSplits) return found;
    return { ...found, records: await withFold(found.records, options.tree) };
  },
};

/** The first published fold; its numbers are indices into the sorted trainval list. */
async function withFold(records: readonly SourceRecord[], { files }: FileTree): Promise<readonly SourceRecord[]> {
  const fold = files.find(({ full }) => /(?:^|\/)tn3k-trainval-fold0\.json$/i.test(full));
  if (fold === undefined) return records;
  const { val } = JSON.parse((await readFile(fold.path, 'utf8')).replace(/^\uFEFF/, '')) as { val?: unknown };
  const validates = new Set(Array.isArray(val) ? val.map(Number) : []);
  let place = 0;
  return records.map((record) =>
    record.split === 'test' ? record : { ...record, split: validates.has(place++) ? 'val' : 'train' },
  );
}
