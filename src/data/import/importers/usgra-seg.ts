import { pairFiles } from '../readers/pairs.js';
import type { Importer } from '../types.js';
import { imageFile } from './common.js';

/** Palette colours of mask values 1 and 2. */
const CLASSES = [
  { class: 'nerve', colour: [128, 0, 0] },
  { class: 'vessel', colour: [0, 128, 0] },
] as const;

/** USGRA-Seg: nerves and vessels for regional anaesthesia; palette masks. */
export const usgraSeg: Importer = {
  name: 'usgra-seg',
  title: 'USGRA-Seg',
  aliases: ['usgra'],
  organ: 'nerves and vessels',
  published: { count: 244, of: 'images' },
  source: 'GitHub: usgra-seg (Ultrasound-Guided Regional Anaesthesia semantic SEGmentation)',
  layout: 'dataset/{images,masks}/NNNN.png and dataset/test/{images,masks}/NNNN.png',
  officialSplits: 'images and test; some images of the former validate',
  plainLayout: true,
  warning: () =>
    'USGRA-Seg does not say which values of its masks are what, nor which images are of one person: 1 is taken for nerve and 2 for vessel, and the splits are divided by image',
  scan: async ({ tree }) => {
    const { pairs, problems } = pairFiles(tree.files, {
      image: imageFile('(?:(?<split>test)/)?images/(?<id>\\d+)'),
      mask: imageFile('(?:(?<split>test)/)?masks/(?<id>\\d+)'),
    });
    const records = pairs.map(({ image, masks, names }) => {
      const name = names['id'] as string;
      return {
        name,
        image: { file: image.path },
        masks: masks.map((mask) => ({ kind: 'painted', file: mask.path, classes: CLASSES }) as const),
        group: name,
        ...(names['split'] === undefined ? {} : { split: 'test' as const }),
      };
    });
    return { records, problems };
  },
};
