import { ensureBackend } from '../backend/index.js';
import { type BinaryMask, PromptTokenizer, type RasterImage, type SelectOptions } from '../processing/index.js';
import { UsageError } from '../util/index.js';
import type { Detector } from './detector.js';
import { GroundingDinoPredictor } from './detector.js';
import { isExported, loadExported } from './exported/index.js';
import { loadDetector, loadMasker } from './load-model.js';
import type { Masker } from './masker.js';
import { Sam2ImagePredictor } from './masker.js';

/** One thing that was found. */
export interface Segment {
  /** The caller's own phrase. */
  readonly phrase: string;
  /** The detector's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxXyxyPx: readonly [number, number, number, number];
  readonly mask: BinaryMask;
  /** The masker's estimate of the mask's IoU. */
  readonly maskScore: number;
}

export interface LoadOptions {
  /** Folder of a Grounding DINO, or an exported folder, which holds a masker too. Default: the shipped nano model. */
  readonly detector?: string;
  /** Folder of a SAM 2. Default: the one of an exported folder, else the shipped nano model. */
  readonly masker?: string | undefined;
  /** Folder of a LoRA adapter for the detector. */
  readonly adapter?: string | undefined;
}

/** An image and a sentence in, a mask for each thing that the sentence names out. */
export class GroundedSegmenter {
  readonly detector: Detector;
  readonly masker: Masker;

  constructor(detector: Detector, masker: Masker) {
    this.detector = detector;
    this.masker = masker;
  }

  /**
   * Loads both models: from their folders, or from one folder that `export` wrote. Starts the best backend there is, unless
   * {@link initBackend} was called before.
   *
   * @example
   * ```ts
   * import { decodeImage, GroundedSegmenter } from 'sonoground';
   *
   * const segmenter = await GroundedSegmenter.load(); // or load('exported'), load({ detector, adapter, masker })
   * const found = await segmenter.segment(await decodeImage('scan.png'), 'benign lesion. cyst.');
   * for (const { phrase, score, boxXyxyPx } of found) console.log(phrase, score, boxXyxyPx);
   * segmenter.dispose();
   * ```
   *
   * @param models - the folders, or an exported folder. Default: the shipped nano models.
   * @throws CheckpointError naming the file that is missing or does not fit.
   */
  static async load(models: string | LoadOptions = {}): Promise<GroundedSegmenter> {
    await ensureBackend();
    const given = typeof models === 'string' ? { detector: models } : models;
    const { detector = 'weights/nano-grounding-dino', adapter } = given;
    if (await isExported(detector)) {
      if (adapter !== undefined)
        throw new UsageError({
          where: adapter,
          what: `${detector} is exported: it has its adapter`,
          fix: 'Leave the adapter out',
        });
      const exported = await loadExported(detector, { masker: given.masker });
      return new GroundedSegmenter(exported.detector, exported.masker);
    }
    const masker = given.masker ?? 'weights/nano-sam2';
    const finder = new GroundingDinoPredictor(await loadDetector(detector, { adapter }));
    return new GroundedSegmenter(finder, new Sam2ImagePredictor(await loadMasker(masker)));
  }

  /** @param prompt - phrases, or a sentence that separates them by dots: `benign lesion. cyst.` */
  async segment(
    image: RasterImage,
    prompt: string | readonly string[],
    options: Partial<SelectOptions> = {},
  ): Promise<Segment[]> {
    const phrases = typeof prompt === 'string' ? PromptTokenizer.parsePrompt(prompt) : prompt;
    const detections = await this.detector.detect(image, phrases, options);
    if (detections.length === 0) return [];
    await this.masker.setImage(image);
    const masks = await this.masker.masksOf(detections.map(({ boxXyxyPx }) => boxXyxyPx));
    return detections.map((detection, i) => {
      const { mask, score } = masks[i] as (typeof masks)[number];
      return { ...detection, mask, maskScore: score };
    });
  }

  dispose(): void {
    this.detector.dispose();
    this.masker.dispose();
  }
}
