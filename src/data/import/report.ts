import type { Twins } from '../audit/index.js';
import type { Part } from '../coco.js';
import type { Parts } from './assemble.js';
import type { Problem, Protocol } from './types.js';

/** How much a part holds. */
export interface PartCounts {
  /** Objects. */
  readonly rows: number;
  /** Different source images. */
  readonly images: number;
  /** Image files: more than images where one is listed under several names. */
  readonly files: number;
}

/** Images that are the same or alike, as `check-data` goes by, under different names, patients or volumes. */
export interface CopiesReport {
  /** Groups of copies; each is in one part, unless the parts were given. */
  readonly groups: number;
  /** Images that have a copy elsewhere. */
  readonly images: number;
  /** The source images of each group. */
  readonly sets: readonly (readonly string[])[];
  /** Pairs of source images in two parts, where those were given and are kept. */
  readonly across: readonly {
    readonly a: string;
    readonly b: string;
    readonly parts: readonly [Part, Part];
    readonly kind: Twins['kind'];
  }[];
}

/** What `report.json` says. */
export interface ImportReport {
  readonly dataset: string;
  readonly protocol: Protocol;
  readonly variant?: string;
  readonly seed: number;
  readonly counts: Readonly<Record<Part, PartCounts>>;
  /** Objects of each phrase in each part. */
  readonly phrases: Readonly<Record<string, Readonly<Record<Part, number>>>>;
  /** Images without an object. */
  readonly negatives: Readonly<Record<Part, number>>;
  /** Patients, volumes or source images that are in more than one part. */
  readonly sharedGroups: number;
  /** Absent where rows are divided as published. */
  readonly copies?: CopiesReport;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const PARTS = ['train', 'val', 'test'] as const;

/** Counts what the parts hold. */
export function countParts(parts: Parts): Pick<ImportReport, 'counts' | 'phrases' | 'negatives' | 'sharedGroups'> {
  const each = <T>(count: (part: Part) => T): Record<Part, T> => ({
    train: count('train'),
    val: count('val'),
    test: count('test'),
  });
  const objects = (part: Part) => parts[part].flatMap((entry) => entry.objects);
  const phrases = new Map<string, Record<Part, number>>();
  for (const part of PARTS)
    for (const { phrase } of objects(part)) {
      const count = phrases.get(phrase) ?? { train: 0, val: 0, test: 0 };
      count[part]++;
      phrases.set(phrase, count);
    }
  const where = new Map<string, Set<Part>>();
  for (const part of PARTS)
    for (const { group } of parts[part]) where.set(group, (where.get(group) ?? new Set<Part>()).add(part));
  return {
    counts: each((part) => ({
      rows: objects(part).length,
      images: new Set(parts[part].map(({ source }) => source)).size,
      files: new Set(parts[part].map(({ fileName }) => fileName)).size,
    })),
    phrases: Object.fromEntries([...phrases].sort(([a], [b]) => (a < b ? -1 : 1))),
    negatives: each((part) => parts[part].filter((entry) => entry.objects.length === 0).length),
    sharedGroups: [...where.values()].filter((found) => found.size > 1).length,
  };
}
