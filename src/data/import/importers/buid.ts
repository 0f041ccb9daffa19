import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** BUID: three files per case, with spaces and the class in their names. */
export const buid: Importer = {
  name: 'buid',
  title: 'BUID',
  aliases: ['qamebi'],
  organ: 'breast',
  published: { count: 232, of: 'images' },
  source: 'https://qamebi.com/breast-ultrasound-images-database/',
  layout: 'Benign/N Benign Image.bmp, N Benign Mask.tif; Malignant/N Malignant Image.bmp, N Malignant Mask.tif',
  paper: { key: 'buid', lists: ['malignant', 'benign'] },
  scan: maskFolders({
    image: imageFile('(?<id>\\d+)[ _]+(?<class>benign|malignant)[ _]+image'),
    mask: imageFile('(?<id>\\d+)[ _]+(?<class>benign|malignant)[ _]+mask'),
    // Images with the outline drawn in.
    ignore: imageFile('\\d+[ _]+(?:benign|malignant)[ _]+lesion'),
    read: (names) => ({ as: 'bright', class: names['class'] as string }),
    list: (names) => names['class'],
  }),
};
