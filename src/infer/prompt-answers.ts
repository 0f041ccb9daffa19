import type { BinaryMask, MaskLogits, Size } from '../imaging/index.js';
import { CheckpointError } from '../util/index.js';
import type { MaskPrediction } from './masker.js';

/** One mask that answers a prompt. */
export interface PromptedMask extends MaskPrediction {
  /** The mask before it was brought to the image's grid; as `masks` of a further call it is refined. */
  readonly logits: MaskLogits;
}

/** What a model says to one prompt. */
export interface PromptAnswer {
  /** One mask, or with `multimask` the model's alternatives in its own order. */
  readonly masks: readonly PromptedMask[];
  /** Whether there is an object at all, in [0, 1]. Only SAM 2 says so. */
  readonly objectScore: number | undefined;
}

/** What a mask decoder gave for some prompts, read from the device. */
export interface DecodedMasks {
  /** [prompts, each, h, w]. */
  readonly logits: Float32Array;
  /** [prompts, each]. */
  readonly scores: Float32Array;
  /** [prompts]; models without it leave it out. */
  readonly object: Float32Array | undefined;
}

/**
 * The answer to one prompt of several.
 *
 * @param each - masks of a prompt.
 * @param lowRes - the size of the logits.
 * @param toImage - brings logits to the image's grid.
 */
export function answerOf(
  { logits, scores, object }: DecodedMasks,
  row: number,
  { each, lowRes, toImage }: { readonly each: number; readonly lowRes: Size; readonly toImage: (own: MaskLogits) => BinaryMask },
): PromptAnswer {
  const area = lowRes.width * lowRes.height;
  const masks = Array.from({ length: each }, (_, m) => {
    const plane = row * each + m;
    const own = { ...lowRes, data: logits.slice(plane * area, (plane + 1) * area) };
    // NaN is not above 0 anywhere: the mask would be empty without a word.
    if (Number.isNaN(scores[plane]) || Number.isNaN(own.data[0]))
      throw new CheckpointError({
        code: 'E_WEIGHTS_NOT_FINITE',
        where: 'masker',
        what: 'its answer is not a number (NaN): its weights, or those of its adapter, are too large to compute with',
        fix: 'Take an earlier checkpoint',
      });
    return { mask: toImage(own), score: scores[plane] as number, logits: own };
  });
  const said = object?.[row];
  return { masks, objectScore: said === undefined ? undefined : 1 / (1 + Math.exp(-said)) };
}

/** The first mask of each answer. */
export function firstMasks(answers: readonly PromptAnswer[]): MaskPrediction[] {
  return answers.map(({ masks }) => {
    const { mask, score } = masks[0] as PromptedMask;
    return { mask, score };
  });
}
