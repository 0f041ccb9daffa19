import { breast, buid, busb, busbra, busi, busuc, busuclm, s1, stu } from './breast-sets.js';
import { kidneyus } from './kidney.js';
import { aul, luminous, microseg, regpro, tg3k, tn3k, tnscui, us105 } from './other-sets.js';
import { cca, ddtiXml, hc18, mmotu, usgra } from './public-sets.js';
import type { Miniature } from './types.js';

export type { Miniature } from './types.js';

/** One for each of the published datasets. */
export const miniatures: readonly Miniature[] = [
  breast,
  buid,
  busuc,
  busuclm,
  busb,
  busi,
  stu,
  s1,
  tn3k,
  tg3k,
  us105,
  aul,
  microseg,
  regpro,
  kidneyus,
  busbra,
  tnscui,
  luminous,
  hc18,
  cca,
  usgra,
  ddtiXml,
  mmotu,
];
