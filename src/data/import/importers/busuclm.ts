import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** BUS-UCLM: colour masks, images without a lesion, patient in the file name. */
export const busuclm: Importer = {
  name: 'busuclm',
  title: 'BUS-UCLM',
  aliases: ['busucml', 'bus_uclm'],
  organ: 'breast',
  published: { count: 683, of: 'images' },
  source: 'https://doi.org/10.17632/7fvgj4jsp7.1',
  layout: 'BUS-UCLM/images/ABCD_NNN.png and BUS-UCLM/masks/ABCD_NNN.png',
  plainLayout: true,
  paper: { key: 'busuclm', contours: { keep: 'first', count: 2 }, copies: true, lists: ['benign', 'malignant'] },
  scan: maskFolders({
    image: imageFile('images?/(?<id>[a-z]{2,6}_\\d+[^/]*)'),
    mask: imageFile('masks?/(?<id>[a-z]{2,6}_\\d+[^/]*)'),
    read: () => ({ as: 'colours', classes: { green: 'benign', red: 'malignant' } }),
    group: (names) => (names['id'] ?? '').split('_')[0] as string,
  }),
};
