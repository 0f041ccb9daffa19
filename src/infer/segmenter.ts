import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';
import type { Detection } from '../processing/index.js';
import { PromptTokenizer } from '../prompts/index.js';
import { RuntimeError } from '../util/index.js';
import type { Detector } from './detector.js';
import type { Masker } from './masker.js';
import { checkSegmentOptions, type SegmentOptions } from './segment-options.js';

/** One thing that was found. */
export interface Segment {
  /** The caller's own phrase. */
  readonly phrase: string;
  /** The detector's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The masker's estimate of the mask's IoU. */
  readonly maskScore: number;
}

/** One thing that was found without a masker. There is no mask: a filled box would pass for one. */
export interface BoxSegment extends Omit<Segment, 'mask' | 'maskScore'> {
  readonly mask?: undefined;
  readonly maskScore?: undefined;
}

/** What a segmenter with or without a masker finds. */
export type SegmentOf<M extends Masker | undefined> = M extends Masker ? Segment : BoxSegment;

/** Any detector with any masker, or none. `GroundedSegmenter` is one that knows how to load them. It owns both. */
export class Segmenter<M extends Masker | undefined = Masker> {
  readonly detector: Detector;
  readonly masker: M;
  private disposed = false;

  constructor(detector: Detector, masker: M) {
    this.detector = detector;
    this.masker = masker;
  }

  /**
   * Finds what the prompt names.
   *
   * @param prompt - phrases, or a sentence that separates them by dots: `benign lesion. cyst.`
   * @returns best first; possibly none.
   * @throws UsageError for a prompt without a word, or options that cannot be meant; RuntimeError after {@link dispose}.
   */
  async segment(image: RasterImage, prompt: string | readonly string[], options: SegmentOptions = {}): Promise<SegmentOf<M>[]> {
    if (this.disposed)
      throw new RuntimeError({ where: `${this.constructor.name}.segment`, what: 'it was disposed', fix: 'Load it again' });
    const phrases = typeof prompt === 'string' ? PromptTokenizer.parsePrompt(prompt) : prompt;
    checkSegmentOptions(options);
    const detections = await this.detector.detect(image, phrases, options);
    return (await this.masked(image, detections)) as SegmentOf<M>[];
  }

  private async masked(image: RasterImage, detections: readonly Detection[]): Promise<(Segment | BoxSegment)[]> {
    if (this.masker === undefined || detections.length === 0) return [...detections];
    await this.masker.setImage(image);
    const masks = await this.masker.predictBoxes(detections.map(({ boxXyxyPx }) => boxXyxyPx));
    return detections.map((detection, i) => {
      const { mask, score } = masks[i] as (typeof masks)[number];
      return { ...detection, mask, maskScore: score };
    });
  }

  /** Frees both models. Safe to call again. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.detector.dispose();
    this.masker?.dispose();
  }
}
