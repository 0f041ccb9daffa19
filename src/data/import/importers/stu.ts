import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** STU-Hospital: masks with soft edges whose sizes differ from their images. */
export const stu: Importer = {
  name: 'stu',
  title: 'STU',
  aliases: ['stu-hospital', 'hospital'],
  organ: 'breast',
  published: { count: 42, of: 'images' },
  source: 'https://github.com/xbhlk/STU-Hospital',
  layout: 'Hospital/Test_Image_N.png and Hospital/mask_N.png',
  paper: { key: 'stu' },
  scan: maskFolders({
    image: imageFile('test_image_(?<id>\\d+)'),
    mask: imageFile('mask_(?<id>\\d+)'),
    numeric: true,
    read: () => ({ as: 'bright', class: 'lesion' }),
  }),
};
