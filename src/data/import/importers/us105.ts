import { maskFolders } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** 105US: manually outlined liver metastases. */
export const us105: Importer = {
  name: '105us',
  title: '105US',
  aliases: ['us105', '105usimages'],
  organ: 'liver',
  published: { count: 105, of: 'images' },
  source: 'https://www.researchgate.net/publication/329586355',
  layout: '105 US Images/NNN.png and 105 US Masks/NNN G man.png',
  plainLayout: true,
  paper: { key: '105us' },
  scan: maskFolders({
    image: imageFile('(?:105[ _]?US[ _]?)?Images?/(?<id>\\d+)'),
    mask: imageFile('(?:105[ _]?US[ _]?)?Masks?/(?<id>\\d+)(?:[ _]+G[ _]+man)?'),
    numeric: true,
    read: () => ({ as: 'bright', class: 'metastases' }),
  }),
};
