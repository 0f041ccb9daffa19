import { UniverSegPredictor } from '../infer/index.js';
import type { ExemplarEntry } from './entry.js';
import type { Exemplar, ExemplarMask } from './exemplars.js';

/** UniverSeg: convolutions between the image and a support set. */
export const universeg: ExemplarEntry = {
  name: 'universeg',
  title: 'UniverSeg',
  takes: 'exemplars',
  licence: { code: 'Apache-2.0', weights: 'OpenRAIL++-M, research only' },
  weights: { published: 'universeg_v1_nf64_ss64_STA.pt, from the releases of JJGO/UniverSeg', shortName: 'universeg' },
  create: async (weights) => {
    const predictor = await UniverSegPredictor.load(weights);
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
