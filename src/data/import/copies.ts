import { findTwins, joinCopies, type Twins } from '../audit/index.js';
import type { Part } from '../coco.js';
import { type Done, sourceOf } from './assemble.js';
import type { CopiesReport } from './report.js';

/** Copies among the images of an import. */
export interface FoundCopies {
  /** Of each image the group that it stays together with. */
  readonly joined: readonly string[];
  readonly sets: readonly (readonly number[])[];
}

/** Joins the groups of images that are copies of each other. */
export function findCopies(done: readonly Done[]): FoundCopies {
  const { groups, sets } = joinCopies(done.map(({ record, result }) => ({ ...result.fingerprint, group: record.group })));
  return { joined: groups, sets };
}

/** Says what was found, and which copies are in two parts: those that were given are not changed. */
export function reportCopies(done: readonly Done[], { sets }: FoundCopies, partOf: readonly Part[], from: string): CopiesReport {
  const source = (i: number) => sourceOf((done[i] as Done).record, from);
  const copied = sets.flat();
  const twins = findTwins(
    copied.map((i) => ({
      dataset: '',
      part: partOf[i] as Part,
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
  return { a: a.file, b: b.file, parts: [a.part, b.part], kind };
}
