import { importers } from '../../data/index.js';

/** A dataset of the paper. */
export interface PaperDataset {
  /** Its name in the paper's tables. */
  readonly name: string;
  readonly organ: string;
  /** Whether its training split was used for training. */
  readonly seen: boolean;
  /** Names under which its data may appear, without case and punctuation. */
  readonly keys: readonly string[];
}

const dataset = (name: string, organ: string, seen: boolean, ...keys: string[]): PaperDataset => ({
  name,
  organ,
  seen,
  keys: [plainName(name), ...keys],
});

/** The paper's 18 datasets, in the order of its tables. */
export const paperDatasets: readonly PaperDataset[] = [
  dataset('BrEaST', 'breast', true),
  dataset('BUID', 'breast', true),
  dataset('BUSUC', 'breast', true),
  dataset('BUS-UCLM', 'breast', true, 'busucml'),
  dataset('BUSB', 'breast', true),
  dataset('BUSI', 'breast', true),
  dataset('STU', 'breast', true, 'stuhospital'),
  dataset('S1', 'breast', true),
  dataset('TN3K', 'thyroid', true),
  dataset('TG3K', 'thyroid', true),
  dataset('105US', 'liver', true),
  dataset('AUL', 'liver', true),
  dataset('MicroSeg', 'prostate', true),
  dataset('RegPro', 'prostate', true),
  dataset('kidneyUS', 'kidney', true, 'kidnyus'),
  dataset('BUSBRA', 'breast', false),
  dataset('TNSCUI', 'thyroid', false, 'ddti'),
  dataset('Luminous', 'back muscle', false),
];

/** The paper's dataset with a given name of ours. */
export function paperDataset(name: string): PaperDataset | undefined {
  return paperDatasets.find(({ keys }) => keys.includes(plainName(name)));
}

/** Whether two names are of one dataset: equal without case and punctuation, or known for the same dataset of the paper. */
export function isDataset(name: string, other: string): boolean {
  const known = paperDataset(name);
  return plainName(name) === plainName(other) || (known !== undefined && known === paperDataset(other));
}

/** The organ of a dataset, from the paper or from its importer; `other` for the user's own. */
export function organOf(name: string): string {
  const own = importers.find((importer) => plainName(importer.name) === plainName(name));
  return paperDataset(name)?.organ ?? (own === undefined || own.organ === 'any' ? 'other' : own.organ);
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
