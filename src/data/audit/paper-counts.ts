import type { PaperCounts } from './types.js';

/** Table 1 of the paper (arXiv 2506.23903). The authors counted files, which are neither source images nor rows. */
const TABLE: Readonly<Record<string, PaperCounts>> = {
  breast: { name: 'BrEaST', train: 176, val: 50, test: 26 },
  buid: { name: 'BUID', train: 161, val: 46, test: 26 },
  busuc: { name: 'BUSUC', train: 566, val: 161, test: 83 },
  busuclm: { name: 'BUSUCLM', train: 183, val: 52, test: 29 },
  busb: { name: 'BUSB', train: 114, val: 32, test: 17 },
  busi: { name: 'BUSI', train: 456, val: 132, test: 69 },
  stu: { name: 'STU', train: 29, val: 8, test: 5 },
  s1: { name: 'S1', train: 140, val: 40, test: 22 },
  busbra: { name: 'BUSBRA', train: null, val: null, test: 1875 },
  tn3k: { name: 'TN3K', train: 2442, val: 703, test: 348 },
  tg3k: { name: 'TG3K', train: 2497, val: 713, test: 355 },
  tnscui: { name: 'TNSCUI', train: null, val: null, test: 637 },
  '105us': { name: '105US', train: 73, val: 21, test: 11 },
  aul: { name: 'AUL', train: 351, val: 120, test: 62 },
  microseg: { name: 'MicroSeg', train: 1527, val: 495, test: 261 },
  regpro: { name: 'RegPro', train: 2952, val: 843, test: 423 },
  kidneyus: { name: 'kidneyUS', train: 1257, val: 465, test: 241 },
  luminous: { name: 'Luminous', train: null, val: null, test: 296 },
};

/** Alternative spellings, including the paper's own. */
const ALIASES: Readonly<Record<string, string>> = {
  busucml: 'busuclm',
  kidnyus: 'kidneyus',
  stuhospital: 'stu',
  us105: '105us',
  muregpro: 'microseg',
  ddti: 'tnscui',
};

/** A dataset's row of Table 1, by its name in any spelling. */
export function paperCounts(dataset: string): PaperCounts | null {
  const key = dataset.toLowerCase().replace(/[^a-z0-9]/g, '');
  return TABLE[ALIASES[key] ?? key] ?? null;
}
