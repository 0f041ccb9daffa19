import { type BackendName, ensureBackend, initBackend } from './backend/index.js';
import { type BinaryMask, type BoxXyxy, decodeImage, type RasterImage } from './imaging/index.js';
import { GroundedSegmenter, type LoadOptionsOrBoxes, type Masker, type SegmentOptions } from './infer/index.js';
import { UsageError } from './util/index.js';

/** One structure that was found. */
export interface Found {
  /** The phrase of the prompt, as the caller wrote it. */
  readonly label: string;
  /** The detector's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly box: BoxXyxy;
}

/** One structure that was found, with its mask. */
export interface Segmentation extends Found {
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The masker's estimate of the mask's IoU, in [0, 1]. */
  readonly maskScore: number;
}

/** Which models go with the one that is named, and where they run. */
export interface FromPretrainedOptions extends Omit<LoadOptionsOrBoxes, 'detector'> {
  /** Default: the best that this machine has; once one has started, it stays. */
  readonly backend?: BackendName | undefined;
}

/** An image: a file name, the bytes of a file, or a decoded image. */
export type ImageSource = string | Uint8Array | RasterImage;

/**
 * Finds and segments what a prompt names in ultrasound images.
 *
 * @example
 * import { Sonoground } from 'sonoground';
 *
 * const sonoground = await Sonoground.fromPretrained(); // or 'nano', a run, an adapter, an export, a downloaded model
 * for (const { label, score, box, mask, maskScore } of await sonoground.segment('scan.png', 'benign lesion. cyst.'))
 *   console.log(label, score, box, mask.width, maskScore);
 * sonoground.dispose();
 * @see GroundingDINO-US-SAM, arXiv 2506.23903
 */
export class Sonoground implements Disposable {
  private readonly segmenter: GroundedSegmenter<Masker | undefined>;

  private constructor(segmenter: GroundedSegmenter<Masker | undefined>) {
    this.segmenter = segmenter;
  }

  /**
   * Loads a detector and a masker, and starts a backend if none was started.
   *
   * @param model - `ultrasound` (the default) or `nano`, which come with the package; the folder of a training run, of a demo, of an adapter,
   * of an export or of a Grounding DINO; or the name of a downloaded model.
   * @param options - other models than those that belong to `model`; `masker: null` loads none, for {@link detect} alone.
   * @throws CheckpointError naming the file that is missing or does not fit.
   */
  static async fromPretrained(model = 'ultrasound', { backend, ...others }: FromPretrainedOptions = {}): Promise<Sonoground> {
    await (backend === undefined ? ensureBackend() : initBackend(backend));
    const { modelsFor } = await import('./workflows/index.js');
    return new Sonoground(await GroundedSegmenter.load(await modelsFor(model, others)));
  }

  /**
   * Finds what a prompt names, and segments it.
   *
   * @param prompt - phrases, or one text that separates them by dots: `benign lesion. cyst.`
   * @returns best first; empty where nothing reaches the threshold.
   * @throws DataError for an image that cannot be read; UsageError for a prompt without a word, or without a masker.
   */
  async segment(image: ImageSource, prompt: string | readonly string[], options: SegmentOptions = {}): Promise<Segmentation[]> {
    if (this.segmenter.masker === undefined)
      throw new UsageError({
        code: 'E_OPTION_CONFLICT',
        where: 'Sonoground.segment',
        what: 'it was loaded without a masker',
        fix: 'Call detect, or load one',
      });
    const found = await this.segmenter.segment(await imageOf(image), prompt, options);
    return found.map(({ phrase, score, boxXyxyPx, mask, maskScore }) => ({
      label: phrase,
      score,
      box: boxXyxyPx,
      mask: mask as BinaryMask,
      maskScore: maskScore as number,
    }));
  }

  /** Finds what a prompt names, as {@link segment} does, without masks. */
  async detect(image: ImageSource, prompt: string | readonly string[], options: SegmentOptions = {}): Promise<Found[]> {
    const found = await this.segmenter.detect(await imageOf(image), prompt, options);
    return found.map(({ phrase, score, boxXyxyPx }) => ({ label: phrase, score, box: boxXyxyPx }));
  }

  /** Frees the models. Safe to call again. */
  dispose(): void {
    this.segmenter.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

async function imageOf(source: ImageSource): Promise<RasterImage> {
  if (typeof source === 'string') return decodeImage(source);
  if (source instanceof Uint8Array) return decodeImage(Buffer.from(source.buffer, source.byteOffset, source.byteLength));
  return source;
}
