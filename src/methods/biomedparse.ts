import type { MethodEntry } from './entry.js';

/** BiomedParse, version 1: FocalNet-L with a decoder of text and queries. */
export const biomedparse: MethodEntry = {
  name: 'biomedparse',
  title: 'BiomedParse',
  takes: 'text',
  licence: { code: 'Apache-2.0', weights: 'CC BY-NC-SA 4.0' },
  trainedOn: { datasets: ['BUSI', 'CAMUS', 'FH-PS-AOP'], source: 'its publication and repository, microsoft/BiomedParse' },
  weights: { published: 'microsoft/BiomedParse on Hugging Face: biomedparse_v1.pt, config.yaml', shortName: 'biomedparse' },
};
