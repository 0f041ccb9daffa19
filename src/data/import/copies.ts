import { findTwins, joinCopies, type Twins } from '../audit/index.js';
import type { Split } from '../coco.js';
import { type Done, type Splits, sourceOf } from './assemble.js';
import type { CopiesReport } from './report.js';
import type { Importer } from './types.js';

/** Copies among the images of an import. */
export interface FoundCopies {
  /** For each image, the joined group that it stays with. */
  readonly joined: readonly string[];
  readonly sets: readonly (readonly number[])[];
}

/** Joins the groups of images that are copies of each other. */
export function findCopies(done: readonly Done[]): FoundCopies {
  const { groups, sets } = joinCopies(done.map(({ record, result }) => ({ ...result.fingerprint, group: record.group })));
  return { joined: groups, sets };
}

/** Reports the copies found, and those across given splits, which are left unchanged. */
export function reportCopies(
  done: readonly Done[],
  { sets }: FoundCopies,
  splitOf: readonly Split[],
  from: string,
): CopiesReport {
  const source = (i: number) => sourceOf((done[i] as Done).record, from);
  const copied = sets.flat();
  const twins = findTwins(
    copied.map((i) => ({
      dataset: '',
      split: splitOf[i] as Split,
      index: i,
      file: source(i),
      labels: [],
      ...(done[i] as Done).result.fingerprint,
    })),
  );
  return {
    groups: sets.length,
    images: copied.length,
    sets: sets.map((set) => set.map(source)),
    across: twins.filter(({ level }) => level === 'error').map(pair),
  };
}

function pair({ a, b, kind }: Twins): CopiesReport['across'][number] {
  return { a: a.file, b: b.file, splits: [a.split, b.split], kind };
}

/** Notices about copies: those across splits, and splits left empty because of them. */
export function copyNotes({ across, images, groups }: CopiesReport, splits: Splits, { unseen }: Importer): string[] {
  const [first] = across;
  const empty = (['train', 'val', 'test'] as const).filter((split) => splits[split].length === 0);
  const lacking = unseen !== true && images > 2 && empty.length > 0;
  return [
    ...(first === undefined
      ? []
      : [
          `${across.length} pairs of images that are copies of each other are in different splits, ${first.a} (${first.splits[0]}) and ${first.b} (${first.splits[1]}) first: published splits are kept as they are, and train stops if an image is used for training and testing. Splits drawn with --seed keep copies together`,
        ]),
    ...(lacking
      ? [
          `${images} images are copies of others or nearly so (${groups} groups, each kept within one split, are listed in report.json); nothing is left for ${empty.join(' and ')}`,
        ]
      : []),
  ];
}
