import { tf } from '../../backend/index.js';
import type { Prompts } from '../sam-common/index.js';
import type { Sam2ImageFeatures } from './sam2.js';

/** Logits of a mask that was given: ±10, whose sigmoids are nearly 0 and 1. */
const GIVEN = { scale: 20, bias: -10 } as const;

/** What is remembered of objects, one for each row of the batch. */
export interface ObjectMemory {
  /**
   * Prompted frames with age 0, then others from the oldest, with how many frames ago they were.
   * Maps are [B, h * w, M] f32, as `Sam2Video.memorise` makes them.
   */
  readonly frames: readonly { readonly map: tf.Tensor3D; readonly age: number }[];
  /** [B, P, C] f32: object pointers of past frames; absent if there is none. */
  readonly pointers?: tf.Tensor3D | undefined;
  /** [P, C] f32: `temporalEncoding` of how long ago they were, in units of the longest that the model takes. */
  readonly pointerTimes?: tf.Tensor2D | undefined;
}

/** An object on a frame, for each row of the batch. */
export interface ObjectOutputs {
  /** [B, 4h, 4w, 1] f32; -1024 everywhere where the object is not visible. */
  readonly maskLogits: tf.Tensor4D;
  /** [B, 1] f32 in [0, 1]: predicted IoU. */
  readonly iouScores: tf.Tensor2D;
  /** [B, 1] f32: above 0, the object is visible. */
  readonly objectScoreLogits: tf.Tensor2D;
  /** [B, C] f32. */
  readonly pointers: tf.Tensor2D;
}

/** Inputs of `Sam2Video.decodeObjects`: points only; a box is two points labelled 2 and 3, before all others. */
export interface ObjectInputs extends Omit<Prompts, 'boxes'> {
  /** With `embeddings` as `Sam2Video.recall` gives them. */
  readonly features: Sam2ImageFeatures;
  /** [B, 4h, 4w, 1] f32: logits of an earlier mask that is corrected. */
  readonly masks?: tf.Tensor4D | undefined;
  /** Choose the best of several masks. */
  readonly multimask: boolean;
  /** [B, 1] f32, 0 or 1: whether objects are visible, where that is known, as in training. Default: by the object score. */
  readonly visible?: tf.Tensor2D | undefined;
}

/** What training compares with the ground truth, besides what is remembered. */
export interface ObjectCandidates extends ObjectOutputs {
  /** [B, 1, M, 4h, 4w] f32: the logits of all masks, whether or not the object is visible. */
  readonly candidates: tf.Tensor5D;
  /** [B, 1, M] f32: their predicted IoU. */
  readonly candidateScores: tf.Tensor3D;
}

/** Logits of given zeros and ones. */
export function givenLogits<T extends tf.Tensor>(given: T): T {
  return tf.add(tf.mul(given, GIVEN.scale), GIVEN.bias) as T;
}
