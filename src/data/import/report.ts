import type { Twins } from '../audit/index.js';
import type { Split } from '../coco.js';
import type { Splits } from './assemble.js';
import type { Problem, Protocol } from './types.js';

/** Counts of a split. */
export interface SplitCounts {
  /** Objects. */
  readonly rows: number;
  /** Distinct source images. */
  readonly images: number;
  /** Image files: more than images if one is listed under several names. */
  readonly files: number;
}

/** Identical or near-identical images, by the criterion of `check-data`, under different names, patients or volumes. */
export interface CopiesReport {
  /** Groups of copies; each is in one split unless the splits were given. */
  readonly groups: number;
  /** Images with a copy elsewhere. */
  readonly images: number;
  /** The source images of each group. */
  readonly sets: readonly (readonly string[])[];
  /** Pairs of source images across given splits, which are kept. */
  readonly across: readonly {
    readonly a: string;
    readonly b: string;
    readonly splits: readonly [Split, Split];
    readonly kind: Twins['kind'];
  }[];
}

/** Content of `report.json`. */
export interface ImportReport {
  readonly dataset: string;
  readonly protocol: Protocol;
  readonly variant?: string;
  readonly seed: number;
  readonly counts: Readonly<Record<Split, SplitCounts>>;
  /** Object counts per phrase and split. */
  readonly phrases: Readonly<Record<string, Readonly<Record<Split, number>>>>;
  /** Images without an object. */
  readonly negatives: Readonly<Record<Split, number>>;
  /** Patients, volumes or source images that are in more than one split. */
  readonly sharedGroups: number;
  /** Absent if rows are split as in the published code. */
  readonly copies?: CopiesReport;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const SPLITS = ['train', 'val', 'test'] as const;

/** Counts the content of the splits. */
export function countSplits(splits: Splits): Pick<ImportReport, 'counts' | 'phrases' | 'negatives' | 'sharedGroups'> {
  const each = <T>(count: (split: Split) => T): Record<Split, T> => ({
    train: count('train'),
    val: count('val'),
    test: count('test'),
  });
  const objects = (split: Split) => splits[split].flatMap((entry) => entry.objects);
  const phrases = new Map<string, Record<Split, number>>();
  for (const split of SPLITS)
    for (const { phrase } of objects(split)) {
      const count = phrases.get(phrase) ?? { train: 0, val: 0, test: 0 };
      count[split]++;
      phrases.set(phrase, count);
    }
  const where = new Map<string, Set<Split>>();
  for (const split of SPLITS)
    for (const { group } of splits[split]) where.set(group, (where.get(group) ?? new Set<Split>()).add(split));
  return {
    counts: each((split) => ({
      rows: objects(split).length,
      images: new Set(splits[split].map(({ source }) => source)).size,
      files: new Set(splits[split].map(({ fileName }) => fileName)).size,
    })),
    phrases: Object.fromEntries([...phrases].sort(([a], [b]) => (a < b ? -1 : 1))),
    negatives: each((split) => splits[split].filter((entry) => entry.objects.length === 0).length),
    sharedGroups: [...where.values()].filter((found) => found.size > 1).length,
  };
}
