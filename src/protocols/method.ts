import type { Sample } from '../data/index.js';
import type { BoxXyxy } from '../imaging/index.js';
import type { Answer } from './answer.js';

/** Something that segments images: our models, or a folder of masks that another program wrote. */
export interface Method {
  /** What tables call it. */
  readonly name: string;
  /** Whether boxes come with scores, so that precision and false alarms can be asked about. */
  readonly scored: boolean;
  /**
   * What the method finds in an image.
   *
   * @param phrases - asked together, as one prompt.
   */
  answer(sample: Sample, phrases: readonly string[]): Promise<Answer>;
  /** Masks of given boxes, in their order; absent where a method takes none. */
  answerBoxes?(sample: Sample, boxesXyxyPx: readonly BoxXyxy[]): Promise<Answer>;
  /** Frees what it holds. */
  dispose(): Promise<void>;
}
