import type { tf } from '../../backend/index.js';
import type { RasterImage } from '../../imaging/index.js';
import type { MemoryConfig, MultimaskConfig, ObjectMemory, Sam2ImageFeatures } from '../../models/sam2/index.js';

/** What a tracker has to know of its model's memory. */
export type TrackerMemory = MultimaskConfig & Pick<MemoryConfig, 'numMaskmem' | 'maxObjectPointersInEncoder' | 'maxCondFrameNum'>;

/** Tensors of one object on one frame, with a batch of one. They belong to the caller. */
export interface ComputedObject {
  /** [1, 4h, 4w, 1] f32. */
  readonly maskLogits: tf.Tensor;
  /** [1, 1] f32. */
  readonly iouScores: tf.Tensor;
  /** [1, 1] f32. */
  readonly objectScoreLogits: tf.Tensor;
  /** [1, C] f32. */
  readonly pointers: tf.Tensor;
  /** [1, h * w, M] f32: its memory. */
  readonly map: tf.Tensor3D;
}

/** Features of a frame, for all objects. */
export interface FrameInputs extends Sam2ImageFeatures {
  /** [1, h * w, C] f32: the part of recalling that is the same for all objects, where it is computed apart. */
  readonly begun?: tf.Tensor3D | undefined;
}

/** What the mask of a marked object is computed from. */
export interface MarkInputs {
  readonly features: FrameInputs;
  /** Undefined on a frame that is marked before any other. */
  readonly memory: ObjectMemory | undefined;
  /** [1, 1, P, 2] f32: in pixels of the model's input. */
  readonly points: tf.Tensor4D;
  /** [1, 1, P] i32. */
  readonly labels: tf.Tensor3D;
  /** [1, 4h, 4w, 1] f32: logits of an earlier mask. */
  readonly masks: tf.Tensor4D | undefined;
  /** Choose the best of several masks. */
  readonly multimask: boolean;
}

/** A mask that was made, to be remembered once more. */
export interface FormerMask {
  /** [1, 4h, 4w, 1] f32. */
  readonly maskLogits: tf.Tensor4D;
  /** [1, 1] f32. */
  readonly objectScoreLogits: tf.Tensor2D;
}

/** SAM 2 with its memory, as a tracker computes with it. Inputs stay the caller's, results belong to the caller. */
export interface TrackerModel {
  readonly memory: TrackerMemory;
  /** Side of the model's square input, in pixels. */
  readonly imageSize: number;
  /** Channels of object pointers. */
  readonly pointerChannels: number;
  encode(image: RasterImage): Promise<FrameInputs>;
  /** Predicts an object on a frame where it is not marked. */
  follow(features: FrameInputs, memory: ObjectMemory | undefined): Promise<ComputedObject>;
  /** Predicts an object on a frame where it is marked. */
  mark(inputs: MarkInputs): Promise<ComputedObject>;
  /** Takes a mask, [1, S, S, 1] f32 of 0 and 1, as an object's own. */
  take(features: Sam2ImageFeatures, masks: tf.Tensor4D): Promise<ComputedObject>;
  /** @returns [1, h * w, M] f32. */
  memorise(features: Sam2ImageFeatures, former: FormerMask): Promise<tf.Tensor3D>;
  /** Waits for what was begun beside the computation. */
  settle(): Promise<void>;
}
