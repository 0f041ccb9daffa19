import { type Fingerprint, MIRRORS } from './fingerprint.js';
import { differing, mirrored, packSigns } from './signs.js';
import { ALIKE } from './twins.js';

/** An image as compared for copies. */
export interface Compared extends Partial<Fingerprint> {
  /** Group (patient, volume) whose images stay together anyway. */
  readonly group: string;
}

/** Groups joined because they contain copies of each other's images. */
export interface CopyGroups {
  /** For each image, the first of its joined groups; its own group if it has no copy elsewhere. */
  readonly groups: readonly string[];
  /** Images with a copy in another group: one list of indices per joined group. */
  readonly sets: readonly (readonly number[])[];
}

/**
 * Joins the groups of identical or near-identical images by the criterion of {@link findTwins}. Splitting by joined groups leaves
 * no twins across splits.
 */
export function joinCopies(images: readonly Compared[]): CopyGroups {
  const number = new Map<string, number>();
  const own = images.map(({ group }) => {
    if (!number.has(group)) number.set(group, number.size);
    return number.get(group) as number;
  });
  const joined = Array.from(number.values());
  const first = (group: number): number => {
    let root = group;
    while (joined[root] !== root) root = joined[root] as number;
    // Path compression.
    for (let at = group; at !== root; ) [joined[at], at] = [root, joined[at] as number];
    return root;
  };
  const copied = new Set<number>();
  eachCopy(images, own, (i, j) => {
    copied.add(i).add(j);
    const [a, b] = [first(own[i] as number), first(own[j] as number)];
    joined[Math.max(a, b)] = Math.min(a, b);
  });
  const names = [...number.keys()];
  const roots = own.map(first);
  const sets = new Map<number, number[]>();
  for (const i of [...copied].sort((a, b) => a - b)) {
    const root = roots[i] as number;
    sets.set(root, [...(sets.get(root) ?? []), i]);
  }
  return { groups: roots.map((root) => names[root] as string), sets: [...sets.values()] };
}

/** Calls `note` for each pair of identical or near-identical images from different groups. */
function eachCopy(images: readonly Compared[], groups: readonly number[], note: (i: number, j: number) => void): void {
  const seen = new Map<string, number>();
  for (const [j, { exact }] of images.entries()) {
    if (exact === undefined) continue;
    const i = seen.get(exact) ?? j;
    seen.set(exact, i);
    if (groups[i] !== groups[j]) note(i, j);
  }
  const usable = images.flatMap(({ signs }, index) => (signs === undefined ? [] : [{ index, signs }]));
  const words = packSigns(usable.map(({ signs }) => signs));
  const indices = Int32Array.from(usable, ({ index }) => index);
  const own = Int32Array.from(indices, (index) => groups[index] as number);
  for (const mirror of MIRRORS)
    for (let b = 1; b < usable.length; b++) {
      const turned = mirrored(words, b, mirror);
      for (let a = 0; a < b; a++)
        if (own[a] !== own[b] && differing(words, a, turned, ALIKE + 1) <= ALIKE)
          note(indices[a] as number, indices[b] as number);
    }
}
