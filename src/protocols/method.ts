import type { Sample } from '../data/index.js';
import type { BoxXyxy } from '../imaging/index.js';
import type { Answer } from './answer.js';

/** Whether a method's weights saw a dataset in training: all of it or an unknown part, its training split alone, or nobody knows. */
export type SeenInTraining = 'yes' | 'training split' | 'unknown';

/** Images of a dataset on which a method with random weights is run. */
export const UNTRAINED_IMAGES = 10;

/** A segmentation method: our models, those of a comparison, or a folder of masks written by another program. */
export interface Method {
  /** Name in tables. */
  readonly name: string;
  /** Whether boxes have scores, so that precision and false positives can be evaluated. */
  readonly scored: boolean;
  /** What it is given besides the image, for tables: `text`, `box (oracle)`. Absent: unknown. */
  readonly given?: string;
  /**
   * Whether its weights are random: it is run on the first {@link UNTRAINED_IMAGES} images of a dataset, and its scores are never
   * averaged. Absent: they are trained.
   */
  readonly untrained?: boolean;
  /** What a reader of its figures has to know, as a clause. */
  readonly note?: string;
  /** Whether its training included a dataset, for tables: see {@link SeenInTraining}. Absent: unknown for every dataset. */
  seen?(dataset: string): SeenInTraining;
  /**
   * Segments an image.
   *
   * @param phrases - prompted together.
   */
  answer(sample: Sample, phrases: readonly string[]): Promise<Answer>;
  /** Masks for given boxes, in order; absent if the method does not support box prompts. */
  answerBoxes?(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer>;
  /** Predicts as {@link answer} does, but never from a cache, for timing; absent where nothing is computed. */
  predict?(sample: Sample, phrases: readonly string[]): Promise<void>;
  /** Releases its resources. */
  dispose(): Promise<void>;
}
