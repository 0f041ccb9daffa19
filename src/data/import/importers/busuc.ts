import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile, path } from './common.js';

/** BUS-UC: a folder per class. Numbering restarts in each class. */
export const busuc: Importer = {
  name: 'busuc',
  title: 'BUS-UC',
  aliases: ['bus_uc', 'busuc1'],
  organ: 'breast',
  source: 'https://doi.org/10.17632/3ksd7w7jkx.1',
  layout: 'BUS_UC/{Benign,Malignant}/{images,masks}/NN.png',
  paper: { key: 'busuc', lists: ['benign', 'malignant'] },
  stretchMasks: true,
  scan: maskFolders({
    image: imageFile('(?<class>benign|malignant)/images?/(?<id>[^/]+)'),
    mask: imageFile('(?<class>benign|malignant)/masks?/(?<id>[^/]+)'),
    // A second copy of everything.
    ignore: path('all/(?:images?|masks?)/'),
    read: (names) => ({ as: 'bright', class: names['class'] as string }),
    list: (names) => names['class'],
  }),
};
