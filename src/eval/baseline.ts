import type { Dataset } from '../data/index.js';
import { diceCoefficient } from '../metrics/index.js';
import { type BinaryMask, resizeMask } from '../processing/index.js';
import { union } from './masks.js';

/** Grid on which masks are averaged; finer than any difference that a constant guess could show. */
const GRID = { width: 128, height: 128 };

/** A guess that never looks at the image, to judge other scores by. Percent. */
export interface TrivialGuess {
  readonly dsc: number;
  readonly perStructure: Readonly<Record<string, number>>;
}

/**
 * The score of answering each phrase with the same mask everywhere: the pixels that belong to it in at least a share of the
 * training images, the share being the one that scores best on them.
 */
export async function trivialGuess(train: Dataset, test: Dataset): Promise<TrivialGuess> {
  const [seen, asked] = [await masksByPhrase(train), await masksByPhrase(test)];
  const scores = new Map<string, number[]>();
  for (const [phrase, truths] of asked) {
    const known = seen.get(phrase) ?? [...seen.values()].flat();
    const guess = bestConstant(known);
    scores.set(
      phrase,
      truths.map((truth) => diceCoefficient(resizeMask(guess, truth), truth)),
    );
  }
  const perStructure = Object.fromEntries([...scores].map(([phrase, values]) => [phrase, percent(mean(values))]));
  return { dsc: percent(mean([...scores.values()].flat())), perStructure };
}

async function masksByPhrase(dataset: Dataset): Promise<Map<string, BinaryMask[]>> {
  const masks = new Map<string, BinaryMask[]>();
  for (let i = 0; i < dataset.size; i++) {
    const { objects } = await dataset.load(i);
    for (const phrase of new Set(objects.map((object) => object.phrase))) {
      const one = union(objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask));
      masks.set(phrase, [...(masks.get(phrase) ?? []), one]);
    }
  }
  return masks;
}

function bestConstant(masks: readonly BinaryMask[]): BinaryMask {
  const small = masks.map((mask) => resizeMask(mask, GRID));
  const share = new Float64Array(GRID.width * GRID.height);
  for (const { data } of small) for (const [i, value] of data.entries()) share[i] = (share[i] as number) + value / small.length;
  const candidates = Array.from({ length: 19 }, (_, k) => {
    const mask = { ...GRID, data: Uint8Array.from(share, (value) => Number(value >= (k + 1) / 20)) };
    return { mask, dsc: mean(small.map((truth) => diceCoefficient(mask, truth))) };
  });
  return candidates.reduce((best, candidate) => (candidate.dsc > best.dsc ? candidate : best)).mask;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function percent(fraction: number): number {
  return Math.round(fraction * 1e4) / 100;
}
