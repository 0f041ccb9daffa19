import { z } from 'zod';
import type { Dataset, Sample } from '../data/index.js';
import { type BinaryMask, decodeRle, encodeRle, resizeMask, type Size, unionOfMasks } from '../imaging/index.js';
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
    /** Mean over images, each the mean over its structures; null without training images to derive a mask from. */
    dsc: z.number().nullable(),
    /** By phrase, the mean over images that show it. */
    structures: z.record(z.string(), z.number().nullable()).readonly(),
  })
  .readonly();

/** Scores of the constant-mask baseline, in percent: a reference that ignores the image. */
export type ConstantMask = z.infer<typeof constantMaskSchema>;

/** Ground truth of an image, small enough to be kept for every image. */
export interface TruthRuns extends Size {
  /** The union of each phrase's masks, in COCO's run lengths. */
  readonly masks: readonly (readonly [phrase: string, rle: string])[];
}

/** Images to derive masks from, and images to evaluate them on, or only their ground truth. */
export interface ConstantMaskFold {
  readonly train: Dataset;
  readonly test: Dataset | readonly TruthRuns[];
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
    const size = 'load' in test ? test.size : test.length;
    for (let i = 0; i < size; i++) {
      const truths = 'load' in test ? phraseMasks(await test.load(i)) : decoded(test[i] as TruthRuns);
      const scores = truths.flatMap(([phrase, truth]) => {
        const known = structures.get(phrase) ?? [];
        structures.set(phrase, known);
        const mask = maskFor(phrase);
        if (mask === undefined) return [];
        const dsc = diceCoefficient(resizeMask(mask, truth), truth);
        known.push(dsc);
        return [dsc];
      });
      if (scores.length > 0) images.push(mean(scores));
    }
  }
  return {
    dsc: percentOrNull(mean(images)),
    structures: Object.fromEntries([...structures].sort().map(([phrase, scores]) => [phrase, percentOrNull(mean(scores))])),
  };
}

/** The mask of each phrase; a phrase unknown to training gets the mask of all phrases. Undefined without any mask. */
async function learnMasks(train: Dataset): Promise<(phrase: string) => BinaryMask | undefined> {
  const seen = new Map<string, BinaryMask[]>();
  const step = Math.max(1, train.size / LEARNT);
  for (let i = 0; i < train.size; i += step) {
    for (const [phrase, mask] of phraseMasks(await train.load(Math.floor(i))))
      seen.set(phrase, [...(seen.get(phrase) ?? []), resizeMask(mask, GRID)]);
  }
  const learnt = new Map<string, BinaryMask>();
  return (phrase) => {
    if (seen.size === 0) return undefined;
    const mask = learnt.get(phrase) ?? constantMask(seen.get(phrase) ?? [...seen.values()].flat());
    learnt.set(phrase, mask);
    return mask;
  };
}

/** The ground truth of an image in a form that can be kept. */
export function truthRuns(sample: Sample): TruthRuns {
  const { width, height } = sample.image;
  return { width, height, masks: phraseMasks(sample).map(([phrase, mask]) => [phrase, encodeRle(mask)]) };
}

function decoded({ width, height, masks }: TruthRuns): [string, BinaryMask][] {
  return masks.map(([phrase, rle]) => [phrase, decodeRle(rle, width, height)]);
}

/** The mask of each phrase in an image. */
function phraseMasks({ objects }: Sample): [string, BinaryMask][] {
  return [...new Set(objects.map((object) => object.phrase))].map((phrase) => [
    phrase,
    unionOfMasks(objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask)),
  ]);
}

function constantMask(masks: readonly BinaryMask[]): BinaryMask {
  return bestConstantMask(
    masks,
    TWENTIETHS.map((k) => Math.ceil((k * masks.length) / 20)),
  ).guess;
}
