import type { Sample } from '../data/index.js';
import type { BoxXyxy } from '../imaging/index.js';
import type { Answer } from './answer.js';

/** A segmentation method: our models, or a folder of masks written by another program. */
export interface Method {
  /** Name in tables. */
  readonly name: string;
  /** Whether boxes have scores, so that precision and false positives can be evaluated. */
  readonly scored: boolean;
  /**
   * Segments an image.
   *
   * @param phrases - prompted together.
   */
  answer(sample: Sample, phrases: readonly string[]): Promise<Answer>;
  /** Masks for given boxes, in order; absent if the method does not support box prompts. */
  answerBoxes?(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer>;
  /** Releases its resources. */
  dispose(): Promise<void>;
}
