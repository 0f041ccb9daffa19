import type { MethodEntry } from './entry.js';

/** UniverSeg: convolutions between the image and a support set. */
export const universeg: MethodEntry = {
  name: 'universeg',
  title: 'UniverSeg',
  takes: 'exemplars',
  licence: { code: 'Apache-2.0', weights: 'OpenRAIL++-M, research only' },
  weights: { published: 'universeg_v1_nf64_ss64_STA.pt, from the releases of JJGO/UniverSeg', shortName: 'universeg' },
};
