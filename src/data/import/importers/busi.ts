import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

const CLASS = '(?<class>benign|malignant|normal)';

const published = maskFolders({
  image: imageFile(`${CLASS}/(?<id>[^/]+)`),
  mask: imageFile(`${CLASS}/(?<id>[^/]+?)_mask(?:_\\d+)?`),
  negative: (names) => names['class'] === 'normal',
  // Masks of images without a lesion are black.
  read: (names) => (names['class'] === 'normal' ? undefined : { as: 'bright', class: names['class'] as string }),
  list: (names) => names['class'],
});

/** BUSI: a folder per class, further lesions in separate masks, images without a lesion. */
export const busi: Importer = {
  name: 'busi',
  title: 'BUSI',
  aliases: ['dataset_busi_with_gt', 'breastbusi'],
  organ: 'breast',
  published: { count: 780, of: 'images' },
  source: 'https://scholar.cu.edu.eg/?q=afahmy/pages/dataset',
  layout: 'Dataset_BUSI_with_GT/{benign,malignant,normal}/benign (N).png, benign (N)_mask.png, benign (N)_mask_1.png',
  paper: { key: 'busi', lists: ['malignant', 'benign'] },
  warning: () => 'BUSI is known for duplicated images, some in both classes, and for drawn-in marks',
  scan: async (options) => {
    const found = await published(options);
    if (options.protocol === 'strict') return found;
    // The published code ignores all masks but the first.
    const first = /_mask\.\w+$/i;
    return {
      ...found,
      records: found.records.map((record) => ({
        ...record,
        masks: record.masks.filter((mask) => mask.kind === 'file' && first.test(mask.file)),
      })),
    };
  },
};
