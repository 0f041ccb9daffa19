import { SamusPredictor } from '../infer/index.js';
import { loadSamus, randomSamus, samusConfigs } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { type PointEntry, RANDOM_WEIGHTS } from './entry.js';

/** SAMUS: SAM with a convolutional branch and adapters for ultrasound. */
export const samus: PointEntry = {
  name: 'samus',
  title: 'SAMUS',
  takes: 'point',
  licence: { code: 'MIT', weights: 'not stated' },
  trainedOn: { datasets: ['TN3K', 'TG3K', 'BUSI', 'CAMUS'], source: 'its publication and repository, xianlin7/SAMUS' },
  weights: { published: 'a .pth file of about 530 MB, on Google Drive', shortName: 'samus' },
  random: true,
  grid: { width: 256, height: 256 },
  configs: [samusConfigs],
  create: async (weights) =>
    new SamusPredictor(weights === RANDOM_WEIGHTS ? randomSamus(Rng.seeded(0)) : await loadSamus(weights)),
};
