import { tf } from '../../backend/index.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage, type Size } from '../../imaging/index.js';
import type { BiomedClip } from '../../models/biomed-clip/index.js';
import { inference } from '../../nn/index.js';
import type { BiomedClipParts } from '../../pretrained/index.js';
import { clipPixels, type Detection } from '../../processing/index.js';
import type { SentenceTokenizer } from '../../prompts/index.js';
import { CheckpointError, RuntimeError } from '../../util/index.js';
import type { Detector } from '../detector.js';
import { checkImage } from '../image-predictor.js';

/** An image and a sentence as BiomedCLIP sees them. */
interface Compared {
  /** [1, S, S, 3] f32: the centre crop. */
  readonly pixelValues: tf.Tensor4D;
  /** [1, features] f32. */
  readonly textFeatures: tf.Tensor2D;
}

/**
 * Finds what a sentence describes by comparing image and sentence with a BiomedCLIP; kinds differ in how. It always finds something,
 * unless nothing stands out: that a structure is absent, it cannot say. Owns its model.
 */
export abstract class ClipDetector implements Detector, Disposable {
  protected readonly model: BiomedClip;
  private readonly tokenizer: SentenceTokenizer;
  private disposed = false;

  /** Takes over the model, and freezes it. */
  protected constructor({ model, tokenizer }: BiomedClipParts) {
    this.model = model;
    this.tokenizer = tokenizer;
    model.setTrainable(false);
  }

  /** One box of score 1 for each phrase. Options are for detectors with scores. */
  async detect(image: RasterImage, phrases: readonly string[]): Promise<Detection[]> {
    const found: Detection[] = [];
    for (const phrase of phrases) {
      const box = this.boxOf(await this.coarseMask(image, phrase), image);
      if (box !== undefined) found.push({ phrase, score: 1, boxXyxyPx: box });
    }
    return found;
  }

  /**
   * The part of an image that a sentence describes, before SAM.
   *
   * @throws UsageError for a sentence without words, or one that is too long; CheckpointError when the model's answer is NaN;
   *   RuntimeError after {@link dispose}.
   */
  abstract coarseMask(image: RasterImage, sentence: string): Promise<BinaryMask>;

  /** The box to give to SAM. */
  protected boxOf(mask: BinaryMask, _image: Size): BoxXyxy | undefined {
    return boxOfMask(mask);
  }

  /** Side of the square that the model sees. */
  protected get side(): number {
    return this.model.config.vision.imageSize;
  }

  /** Prepares the centre crop and the features of a sentence; to be called in a `tidy`, or freed by the caller. */
  protected compare(image: RasterImage, sentence: string): Compared {
    if (this.disposed) {
      const where = this.constructor.name;
      throw new RuntimeError({ code: 'E_NOT_READY', where, what: 'it was disposed', fix: 'Load it again' });
    }
    checkImage(image);
    const ids = this.tokenizer.encode(sentence);
    return tf.tidy(() => {
      const inputIds = tf.tensor2d(ids, [1, ids.length], 'int32');
      const textFeatures = this.model.text.forward({ inputIds }, inference);
      return { pixelValues: clipPixels(image, this.side), textFeatures } as unknown as tf.TensorContainer;
    }) as unknown as Compared;
  }

  /** Frees the model. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.model.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @throws CheckpointError for a value that is NaN. */
export function checkNumbers(values: Float32Array): void {
  if (!values.some((value) => Number.isNaN(value))) return;
  throw new CheckpointError({
    code: 'E_WEIGHTS_NOT_FINITE',
    where: 'BiomedCLIP',
    what: 'its answer is not a number (NaN): its weights are too large to compute with',
    fix: 'Take an earlier checkpoint',
  });
}

/** The scripts of the authors let boxes end at the last pixel of an image, not behind it. */
export function withinLastPixel([x0, y0, x1, y1]: BoxXyxy, { width, height }: Size): BoxXyxy {
  return [x0, y0, Math.min(x1, width - 1), Math.min(y1, height - 1)];
}
