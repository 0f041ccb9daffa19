import { Rng, UsageError } from '../../util/index.js';

/** Which exemplars support a prediction. */
export interface SupportOptions {
  /** Exemplars of each draw. Default: all. */
  readonly size?: number | undefined;
  /** Random draws, whose predictions are averaged. Default: 1. */
  readonly draws?: number | undefined;
  /** Seeds the draws. Default: 0. */
  readonly seed?: number | undefined;
}

/**
 * Draws supports from exemplars without replacement. Each draw only depends on the seed and its number, so that more draws begin
 * with the same ones.
 *
 * @returns the indices of each draw.
 * @throws UsageError when there are fewer exemplars than asked for, or several draws would all be the same.
 */
export function drawSupports(count: number, { size = count, draws = 1, seed = 0 }: SupportOptions = {}): number[][] {
  for (const [where, value] of Object.entries({ size, draws }))
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where: `support ${where}`,
        what: `expected an integer from 1, got ${value}`,
      });
  if (size > count)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: 'support size',
      what: `${size} exemplars were asked for, and there are ${count}`,
      fix: 'Ask for fewer, or give more',
    });
  if (draws > 1 && size === count)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: 'support draws',
      what: `${draws} draws of all ${count} exemplars are the same, as their order does not matter`,
      fix: 'Draw fewer exemplars at a time',
    });
  const all = Array.from({ length: count }, (_, i) => i);
  if (size === count) return [all];
  return Array.from({ length: draws }, (_, k) => Rng.seeded(seed, k).shuffle(all).slice(0, size));
}
