import { BiomedParsePredictor, GroundedSegmenter } from '../infer/index.js';
import { biomedParseConfigs, loadBiomedParse, randomBiomedParse } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { RANDOM_WEIGHTS, type TextEntry } from './entry.js';

/** BiomedParse, version 1: FocalNet-L with a decoder of text and queries. */
export const biomedparse: TextEntry = {
  name: 'biomedparse',
  title: 'BiomedParse',
  takes: 'text',
  licence: { code: 'Apache-2.0', weights: 'CC BY-NC-SA 4.0' },
  trainedOn: { datasets: ['BUSI', 'CAMUS', 'FH-PS-AOP'], source: 'its publication and repository, microsoft/BiomedParse' },
  weights: {
    published:
      'biomedparse_v1.pt of microsoft/BiomedParse on Hugging Face, with tokenizer.json or merges.txt of openai/clip-vit-base-patch32 beside it or downloaded',
    shortName: 'biomedparse',
  },
  random: true,
  configs: [biomedParseConfigs],
  create: async (weights) => {
    const parts = weights === RANDOM_WEIGHTS ? randomBiomedParse(Rng.seeded(0)) : await loadBiomedParse(weights);
    const predictor = new BiomedParsePredictor(parts);
    return new GroundedSegmenter(predictor, predictor.masker());
  },
};
