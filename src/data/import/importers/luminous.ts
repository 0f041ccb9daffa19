import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** Luminous, unseen: the muscle on one or both sides, with a mask each. */
export const luminous: Importer = {
  name: 'luminous',
  title: 'Luminous',
  aliases: ['luminous_database'],
  organ: 'back muscle',
  published: { count: 341, of: 'images' },
  source: 'http://data.sonography.ai',
  layout:
    'LUMINOUS_Database/B-mode/S_K_Bmode.tif and LUMINOUS_Database/Masks/S_K_Mask.tif (S_K_Mask1.tif and S_K_Mask2.tif for two muscles)',
  unseen: true,
  paper: { key: 'luminous', contours: { keep: 'first', count: 2 } },
  warning: () => 'left and right are the sides of the image, as in the paper, not of the patient',
  scan: async (options) => {
    const found = await maskFolders({
      image: imageFile('(?<id>\\d+_[^/]*?)_?Bmode'),
      mask: imageFile('(?<id>\\d+_[^/]*?)_?Mask\\d*'),
      read: () => ({ as: 'side', left: 'left', right: 'right' }),
      group: (names) => `subject ${(names['id'] ?? '').split('_')[0]}`,
    })(options);
    if (options.protocol === 'strict') return found;
    // The published code drops images with two masks.
    const single = /_?mask\.\w+$/i;
    return {
      ...found,
      records: found.records.filter(({ masks }) => masks.every((mask) => mask.kind === 'file' && single.test(mask.file))),
    };
  },
};
