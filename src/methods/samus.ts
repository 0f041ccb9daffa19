import type { MethodEntry } from './entry.js';

/** SAMUS: SAM with a convolutional branch and adapters for ultrasound. */
export const samus: MethodEntry = {
  name: 'samus',
  title: 'SAMUS',
  takes: 'point',
  licence: { code: 'MIT', weights: 'not stated' },
  trainedOn: { datasets: ['TN3K', 'TG3K', 'BUSI', 'CAMUS'], source: 'its publication and repository, xianlin7/SAMUS' },
  weights: { published: 'a .pth file of about 530 MB, on Google Drive' },
};
