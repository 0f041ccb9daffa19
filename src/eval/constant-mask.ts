import { z } from 'zod';
import type { Dataset } from '../data/index.js';
import { type BinaryMask, resizeMask, unionOfMasks } from '../imaging/index.js';
import { bestConstantMask, diceCoefficient, mean, percentOrNull } from '../metrics/index.js';

/** Grid on which masks are averaged; fine enough for constant masks. */
const GRID = { width: 128, height: 128 };

/** Number of training images used, evenly spaced; more would hardly change the mask. */
const LEARNT = 1000;

/** Candidate thresholds, in twentieths: the fraction of training images in which a pixel must belong to the phrase. */
const TWENTIETHS = Array.from({ length: 19 }, (_, k) => k + 1);

/** See {@link ConstantMask}. */
export const constantMaskSchema = z
  .strictObject({
    /** Mean over images, each the mean over its structures. */
    dsc: z.number().nullable(),
    /** By phrase, the mean over images that show it. */
    structures: z.record(z.string(), z.number().nullable()).readonly(),
  })
  .readonly();

/** Scores of the constant-mask baseline, in percent: a reference that ignores the image. */
export type ConstantMask = z.infer<typeof constantMaskSchema>;

/** Images to derive masks from, and images to evaluate them on. */
export interface ConstantMaskFold {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * Evaluates the constant-mask baseline: for each phrase, the pixels that belong to it in at least a fraction of the training
 * images, with the fraction that scores best on those.
 *
 * @param folds - the folds of a cross-validation, or a single train/test split.
 */
export async function constantMaskBaseline(folds: readonly ConstantMaskFold[]): Promise<ConstantMask> {
  const images: number[] = [];
  const structures = new Map<string, number[]>();
  for (const { train, test } of folds) {
    const maskFor = await learnMasks(train);
    for (let i = 0; i < test.size; i++) {
      const scores = (await loadPhraseMasks(test, i)).map(([phrase, truth]) => {
        const dsc = diceCoefficient(resizeMask(maskFor(phrase), truth), truth);
        const known = structures.get(phrase);
        if (known === undefined) structures.set(phrase, [dsc]);
        else known.push(dsc);
        return dsc;
      });
      if (scores.length > 0) images.push(mean(scores));
    }
  }
  return {
    dsc: percentOrNull(mean(images)),
    structures: Object.fromEntries([...structures].sort().map(([phrase, scores]) => [phrase, percentOrNull(mean(scores))])),
  };
}

/** The mask of each phrase; a phrase unknown to training gets the mask of all phrases. */
async function learnMasks(train: Dataset): Promise<(phrase: string) => BinaryMask> {
  const seen = new Map<string, BinaryMask[]>();
  const step = Math.max(1, train.size / LEARNT);
  for (let i = 0; i < train.size; i += step) {
    for (const [phrase, mask] of await loadPhraseMasks(train, Math.floor(i)))
      seen.set(phrase, [...(seen.get(phrase) ?? []), resizeMask(mask, GRID)]);
  }
  const learnt = new Map<string, BinaryMask>();
  return (phrase) => {
    const mask = learnt.get(phrase) ?? constantMask(seen.get(phrase) ?? [...seen.values()].flat());
    learnt.set(phrase, mask);
    return mask;
  };
}

/** The mask of each phrase in an image. */
async function loadPhraseMasks(dataset: Dataset, index: number): Promise<[string, BinaryMask][]> {
  const { objects } = await dataset.load(index);
  return [...new Set(objects.map((object) => object.phrase))].map((phrase) => [
    phrase,
    unionOfMasks(objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask)),
  ]);
}

function constantMask(masks: readonly BinaryMask[]): BinaryMask {
  if (masks.length === 0) return { ...GRID, data: new Uint8Array(GRID.width * GRID.height) };
  return bestConstantMask(
    masks,
    TWENTIETHS.map((k) => Math.ceil((k * masks.length) / 20)),
  ).guess;
}
