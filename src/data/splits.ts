import { DataError, Rng } from '../util/index.js';

/** Sample indices of each split. */
export interface Split {
  readonly train: readonly number[];
  readonly val: readonly number[];
  readonly test: readonly number[];
}

/**
 * Shuffles n samples by a seed and splits them: counts of train and val are rounded down, the rest is test.
 *
 * @param shares - of train and val; normalised by the sum with test.
 */
export function splitIndices(
  n: number,
  shares: { readonly train: number; readonly val: number; readonly test: number },
  seed: number,
): Split {
  const order = Rng.seeded(seed).shuffle(range(n));
  const whole = shares.train + shares.val + shares.test;
  // Rounding errors of the shares must not lose a sample.
  const count = (share: number) => Math.floor((n * share) / whole + 1e-9);
  const train = count(shares.train);
  const val = count(shares.val);
  return { train: order.slice(0, train), val: order.slice(train, train + val), test: order.slice(train + val) };
}

/**
 * Creates k folds of n shuffled samples. Fold i tests its own block; a fifth of the rest is val, the remainder is train.
 *
 * @throws DataError unless k is from 2 to n, so that every fold has training and test samples.
 */
export function kFolds(n: number, k: number, seed: number): Split[] {
  if (k < 2 || k > n)
    throw new DataError({
      code: 'E_SPLIT_EMPTY',
      where: 'folds',
      what: `${n} images cannot be divided into ${k} folds`,
      fix: n < 2 ? 'Add images' : `Choose a number from 2 to ${n}`,
    });
  const order = Rng.seeded(seed).shuffle(range(n));
  return Array.from({ length: k }, (_, fold) => {
    const test = order.filter((_index, i) => i % k === fold);
    const rest = order.filter((_index, i) => i % k !== fold);
    const val = Math.floor(rest.length / 5);
    return { train: rest.slice(val), val: rest.slice(0, val), test };
  });
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
