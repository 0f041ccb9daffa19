import type { BinaryMask, BoxXyxy, MaskLogits, RasterImage, Size } from '../imaging/index.js';
import { CheckpointError } from '../util/index.js';

/** A mask and its estimated quality. */
export interface MaskPrediction {
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The model's IoU estimate. */
  readonly score: number;
  /** The same at each of the levels that were asked for. Absent where the model has no probabilities. */
  readonly atLevels?: readonly BinaryMask[];
}

/** Turns boxes into masks. Implement it to replace SAM 2 and SAM. */
export interface Masker {
  /** Prepares an image for any number of {@link predictBoxes} calls. */
  setImage(image: RasterImage): Promise<void>;
  /**
   * Predicts one mask per box, in order. Boxes are in pixels of the image.
   *
   * @param levels - further thresholds of the probability, in (0, 1), at which masks are wanted too. Default: none.
   */
  predictBoxes(boxesXyxyPx: readonly BoxXyxy[], levels?: readonly number[]): Promise<MaskPrediction[]>;
  /** Frees the model. */
  dispose(): void;
}

/** One mask of the answer to a prompt. */
export interface PromptedMask extends MaskPrediction {
  /** The low-resolution logits; pass them as `masks` of a further call to refine the mask. */
  readonly logits: MaskLogits;
}

/** A model's answer to one prompt. */
export interface PromptAnswer {
  /** One mask, or with `multimask` all alternatives in the model's order. */
  readonly masks: readonly PromptedMask[];
  /** Probability that there is an object at all, in [0, 1]. Only SAM 2 predicts it. */
  readonly objectScore: number | undefined;
}

/** Outputs of a mask decoder for some prompts, read from the device. */
export interface DecodedMasks {
  /** [prompts, each, h, w]. */
  readonly logits: Float32Array;
  /** [prompts, each]. */
  readonly scores: Float32Array;
  /** [prompts]; absent for models without an object score. */
  readonly object: Float32Array | undefined;
}

/**
 * Extracts the answer to one of several prompts.
 *
 * @param each - masks per prompt.
 * @param lowRes - the size of the logits.
 * @param toImage - resizes logits to the image's grid.
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
    // NaN is never above 0: without this check the mask would silently be empty.
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

/**
 * The first mask of each answer.
 *
 * @param levels - thresholds of the probability, in (0, 1), at which its masks are made too. Undefined: none.
 * @param toImage - resizes logits to the image's grid, and thresholds them at 0.
 */
export function firstMasks(
  answers: readonly PromptAnswer[],
  levels: readonly number[] | undefined,
  toImage: (logits: MaskLogits) => BinaryMask,
): MaskPrediction[] {
  return answers.map(({ masks }) => {
    const { mask, score, logits } = masks[0] as PromptedMask;
    if (levels === undefined) return { mask, score };
    // Resizing is linear: a threshold of the logits is an offset before it.
    const at = (level: number) => {
      const offset = Math.log(level / (1 - level));
      return toImage({ ...logits, data: logits.data.map((value) => value - offset) });
    };
    return { mask, score, atLevels: levels.map(at) };
  });
}
