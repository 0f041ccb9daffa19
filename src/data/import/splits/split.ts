import { Rng } from '../../../util/index.js';
import type { Split } from '../../coco.js';
import { PythonRandom } from './python-random.js';

/** Fractions for train and val; the rest is the test split. */
const SHARES = { train: 0.7, val: 0.2 };

/** Fractions where the test split is given. */
export const TRAIN_AND_VAL = { train: 7 / 9, val: 2 / 9 };

const SPLITS = ['train', 'val', 'test'] as const;

/** Input of {@link splitGroups}. */
export interface Grouped {
  readonly group: string;
}

/**
 * Splits 70/20/10, keeping groups together. Groups are shuffled by the seed, except for large ones, which come first; each goes
 * to the split furthest below its target. If every image is its own group, the splits have exactly int(0.7 n), int(0.2 n) and the
 * remaining images.
 */
export function splitGroups(items: readonly Grouped[], seed: number, shares = SHARES): Split[] {
  const sizes = new Map<string, number>();
  for (const { group } of items) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const lacking = targets(items.length, sizes.size, shares);
  const splitOf = new Map<string, Split>();
  const order = largeFirst(Rng.seeded(seed).shuffle([...sizes.keys()].sort()), sizes, items.length);
  const empty = new Set(SPLITS.filter((split) => lacking[split] > 0));
  for (const [i, group] of order.entries()) {
    // A few large groups must not leave a split empty.
    const open = order.length - i <= empty.size ? [...empty] : SPLITS;
    const split = open.reduce((most, other) => (lacking[other] > lacking[most] ? other : most));
    splitOf.set(group, split);
    empty.delete(split);
    lacking[split] -= sizes.get(group) ?? 0;
  }
  return items.map(({ group }) => splitOf.get(group) as Split);
}

/** Groups larger than the whole test split come first, largest first: a late one could not be compensated. */
function largeFirst(order: readonly string[], sizes: ReadonlyMap<string, number>, images: number): string[] {
  const size = (group: string) => sizes.get(group) ?? 0;
  const large = order.filter((group) => size(group) > images * (1 - SHARES.train - SHARES.val) + 1);
  return [...large.sort((a, b) => size(b) - size(a)), ...order.filter((group) => !large.includes(group))];
}

/** Three groups suffice for three non-empty splits. */
function targets(images: number, groups: number, shares: typeof SHARES): Record<Split, number> {
  const train = Math.floor(images * shares.train + 1e-9);
  if (shares === TRAIN_AND_VAL) return { train, val: images - train, test: Number.NEGATIVE_INFINITY };
  const val = Math.floor(images * shares.val + 1e-9);
  const test = images - train - val;
  if (val > 0 || groups < 3) return { train: Math.max(train, Number(images > 0)), val, test: Math.min(test, images - 1) };
  return test > 1 ? { train, val: 1, test: test - 1 } : { train: train - 1, val: 1, test };
}

/** A row of one of the published code's lists. */
export interface Listed {
  readonly list?: string | undefined;
}

/**
 * Splits rows as the published code does: each list shuffled by Python's generator (seeded once), then int(0.7 n) for train,
 * int(0.2 n) for val and the rest for test.
 *
 * @returns the rows of each split in shuffled order.
 */
export function splitRows<T extends Listed>(rows: readonly T[], lists: readonly string[], seed: number): Record<Split, T[]> {
  const random = new PythonRandom(seed);
  const splits: Record<Split, T[]> = { train: [], val: [], test: [] };
  const divided = lists.length === 0 ? [rows] : lists.map((list) => rows.filter((row) => row.list === list));
  for (const list of divided) {
    const order = random.shuffle(list);
    // Truncates the floating-point product as Python does.
    const train = Math.trunc(order.length * SHARES.train);
    const val = Math.trunc(order.length * SHARES.val);
    for (const [i, row] of order.entries()) splits[i < train ? 'train' : i < train + val ? 'val' : 'test'].push(row);
  }
  return splits;
}
