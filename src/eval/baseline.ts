import type { Dataset } from '../data/index.js';
import { diceCoefficient } from '../metrics/index.js';
import { type BinaryMask, resizeMask, unionOfMasks } from '../processing/index.js';

/** Grid on which masks are averaged; finer than any difference that a constant guess could show. */
const GRID = { width: 128, height: 128 };

/** Training images that a guess is made from, evenly over the set: more would not move it. */
const LEARNT = 1000;

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
  const seen = new Map<string, BinaryMask[]>();
  const step = Math.max(1, train.size / LEARNT);
  for (let i = 0; i < train.size; i += step) {
    for (const [phrase, mask] of await masksOf(train, Math.floor(i)))
      seen.set(phrase, [...(seen.get(phrase) ?? []), resizeMask(mask, GRID)]);
  }
  const guesses = new Map<string, BinaryMask>();
  const guessFor = (phrase: string): BinaryMask => {
    const guess = guesses.get(phrase) ?? bestConstant(seen.get(phrase) ?? [...seen.values()].flat());
    guesses.set(phrase, guess);
    return guess;
  };
  const scores = new Map<string, number[]>();
  for (let i = 0; i < test.size; i++) {
    for (const [phrase, truth] of await masksOf(test, i)) {
      const score = diceCoefficient(resizeMask(guessFor(phrase), truth), truth);
      scores.set(phrase, [...(scores.get(phrase) ?? []), score]);
    }
  }
  const perStructure = Object.fromEntries([...scores].map(([phrase, values]) => [phrase, percent(mean(values))]));
  return { dsc: percent(mean([...scores.values()].flat())), perStructure };
}

/** What an image shows of each phrase. */
async function masksOf(dataset: Dataset, index: number): Promise<[string, BinaryMask][]> {
  const { objects } = await dataset.load(index);
  return [...new Set(objects.map((object) => object.phrase))].map((phrase) => [
    phrase,
    unionOfMasks(objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask)),
  ]);
}

function bestConstant(masks: readonly BinaryMask[]): BinaryMask {
  const share = new Float64Array(GRID.width * GRID.height);
  for (const { data } of masks) for (const [i, value] of data.entries()) share[i] = (share[i] as number) + value / masks.length;
  const candidates = Array.from({ length: 19 }, (_, k) => {
    const mask = { ...GRID, data: Uint8Array.from(share, (value) => Number(value >= (k + 1) / 20)) };
    return { mask, dsc: mean(masks.map((truth) => diceCoefficient(mask, truth))) };
  });
  return candidates.reduce((best, candidate) => (candidate.dsc > best.dsc ? candidate : best)).mask;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}

function percent(fraction: number): number {
  return Math.round(fraction * 1e4) / 100;
}
