import { MedSamPredictor } from '../infer/index.js';
import { loadSamMasker, randomSam, samConfigs } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { type BoxEntry, RANDOM_WEIGHTS } from './entry.js';

/** MedSAM: SAM ViT-B fine-tuned on boxes in medical images. */
export const medsam: BoxEntry = {
  name: 'medsam',
  title: 'MedSAM',
  takes: 'box',
  licence: { code: 'Apache-2.0', weights: 'Apache-2.0' },
  weights: {
    published: 'the folder wanglab/medsam-vit-base, or the file medsam_vit_b.pth',
    shortName: 'medsam-vit-base',
  },
  random: true,
  asPublished:
    'the image is transposed (permute(0, 2, 1)) while boxes and masks are not, and normalised with ImageNet’s mean and standard deviation instead of scaled to [0, 1]',
  configs: [samConfigs],
  create: async (weights, options) =>
    new MedSamPredictor(weights === RANDOM_WEIGHTS ? randomSam('base', Rng.seeded(0)) : await loadSamMasker(weights), options),
};
