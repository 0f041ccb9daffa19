import { UniverSegPredictor } from '../infer/index.js';
import { loadUniverSeg, randomUniverSeg, universegConfigs } from '../pretrained/index.js';
import { Rng } from '../util/index.js';
import { type ExemplarEntry, RANDOM_WEIGHTS } from './entry.js';
import type { Exemplar, ExemplarMask } from './exemplars.js';

/** UniverSeg: convolutions between the image and a support set. */
export const universeg: ExemplarEntry = {
  name: 'universeg',
  title: 'UniverSeg',
  takes: 'exemplars',
  licence: { code: 'Apache-2.0', weights: 'OpenRAIL++-M, research only' },
  weights: { published: 'universeg_v1_nf64_ss64_STA.pt, from the releases of JJGO/UniverSeg', shortName: 'universeg' },
  random: true,
  configs: [universegConfigs],
  create: async (weights) => {
    const predictor = new UniverSegPredictor(
      weights === RANDOM_WEIGHTS ? randomUniverSeg(Rng.seeded(0)) : await loadUniverSeg(weights),
    );
    let current: readonly Exemplar[] | undefined;
    return {
      async segment(image, exemplars): Promise<ExemplarMask> {
        if (current !== exemplars)
          await predictor.setSupport(
            exemplars.map((one) => one.image),
            exemplars.map((one) => one.mask),
          );
        current = exemplars;
        const { mask, score, logits } = await predictor.predict(image);
        const { width, height, data } = logits;
        return { mask, score, ownGrid: { width, height, data: Uint8Array.from(data, (value) => Number(value > 0)) } };
      },
      dispose: () => predictor.dispose(),
    };
  },
};
