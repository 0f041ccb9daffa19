import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';
import type { Detection } from '../processing/index.js';
import { PromptTokenizer } from '../prompts/index.js';
import { RuntimeError } from '../util/index.js';
import type { Detector } from './detector.js';
import type { Masker } from './masker.js';
import { checkSegmentOptions, type SegmentOptions } from './segment-options.js';

/** One segmented structure. */
export interface Segment {
  /** The phrase as given by the caller. */
  readonly phrase: string;
  /** The detector's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The masker's IoU estimate. */
  readonly maskScore: number;
  /** The mask at each of the levels that were asked for. Absent where the masker has no probabilities. */
  readonly atLevels?: readonly BinaryMask[];
}

/** Options of {@link Segmenter.segment}. */
export interface SegmenterOptions extends SegmentOptions {
  /** Further thresholds of a mask's probability, in (0, 1), at which segments have masks too. Default: none. */
  readonly maskLevels?: readonly number[] | undefined;
}

/** A detection without a masker. It has no mask, since a filled box could pass for one. */
export interface BoxSegment extends Omit<Segment, 'mask' | 'maskScore' | 'atLevels'> {
  readonly mask?: undefined;
  readonly maskScore?: undefined;
}

/** Result type of a segmenter with or without a masker. */
export type SegmentOf<M extends Masker | undefined> = M extends Masker ? Segment : BoxSegment;

/** Combines any detector with any masker, or none. Owns both; `GroundedSegmenter` also loads them. */
export class Segmenter<M extends Masker | undefined = Masker> implements Disposable {
  readonly detector: Detector;
  readonly masker: M;
  private disposed = false;
  /** Settles when the masker is free. */
  private masking: Promise<unknown> = Promise.resolve();

  constructor(detector: Detector, masker: M) {
    this.detector = detector;
    this.masker = masker;
  }

  /**
   * Segments the structures that the prompt names.
   *
   * @param prompt - phrases, or one string that separates them by full stops: `benign lesion. cyst.`
   * @returns best first; possibly none.
   * @throws UsageError for a prompt without words, or invalid options; RuntimeError after {@link dispose}.
   */
  async segment(
    image: RasterImage,
    prompt: string | readonly string[],
    { maskLevels, ...options }: SegmenterOptions = {},
  ): Promise<SegmentOf<M>[]> {
    const detections = await this.detect(image, prompt, options);
    // One after another: between an image and its boxes, a request made at the same time must not set another image.
    const masked = this.masking.then(() => this.masked(image, detections, maskLevels));
    this.masking = masked.catch(() => {});
    return (await masked) as SegmentOf<M>[];
  }

  /** Returns only the boxes of {@link segment}; the masker does not run. */
  async detect(image: RasterImage, prompt: string | readonly string[], options: SegmentOptions = {}): Promise<Detection[]> {
    if (this.disposed)
      throw new RuntimeError({
        code: 'E_NOT_READY',
        where: `${this.constructor.name}.segment`,
        what: 'it was disposed',
        fix: 'Load it again',
      });
    const phrases = typeof prompt === 'string' ? PromptTokenizer.parsePrompt(prompt) : prompt;
    checkSegmentOptions(options);
    return this.detector.detect(image, phrases, options);
  }

  private async masked(
    image: RasterImage,
    detections: readonly Detection[],
    levels: readonly number[] | undefined,
  ): Promise<(Segment | BoxSegment)[]> {
    if (this.masker === undefined || detections.length === 0) return [...detections];
    await this.masker.setImage(image);
    const boxes = detections.map(({ boxXyxyPx }) => boxXyxyPx);
    const masks = await this.masker.predictBoxes(boxes, levels);
    return detections.map((detection, i) => {
      const { mask, score, atLevels } = masks[i] as (typeof masks)[number];
      return { ...detection, mask, maskScore: score, ...(atLevels && { atLevels }) };
    });
  }

  /** Frees both models. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.detector.dispose();
    this.masker?.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
