import { ensureBackend, tf } from '../../backend/index.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage, resizeImage } from '../../imaging/index.js';
import type { BiomedParse, BiomedParseImage } from '../../models/biomed-parse/index.js';
import { InferencePasses, inference } from '../../nn/index.js';
import { resizeBilinear } from '../../ops/index.js';
import { type BiomedParseParts, loadBiomedParse } from '../../pretrained/index.js';
import { type Detection, ImageProcessor, type MaskDistributions, maskPValue } from '../../processing/index.js';
import type { ClipTokenizer } from '../../prompts/index.js';
import { CheckpointError, RuntimeError, UsageError } from '../../util/index.js';
import type { Detector } from '../detector.js';
import { checkImage } from '../image-predictor.js';
import type { Masker, MaskPrediction } from '../masker.js';

/** ImageNet's mean and standard deviation of each channel, of pixels in [0, 1]. */
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

/** Settings of {@link BiomedParsePredictor}. */
export interface BiomedParseOptions {
  /**
   * The p-value below which a mask is rejected and comes back empty, in [0, 1]. Only structures that `target_dist.json` has
   * distributions of can be rejected. Default: 0, none is, as in the authors' `interactive_infer_image`.
   */
  readonly rejectBelow?: number;
}

/** The answer to a phrase. */
export interface PhraseMask {
  readonly phrase: string;
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** Mean probability of the pixels inside, in [0, 1]; 0 for an empty mask. */
  readonly score: number;
  /** How likely a right mask looks no more usual. Absent: there is no distribution of such a structure. */
  readonly pValue?: number;
}

/**
 * Segments what phrases say with BiomedParse: each by itself, as a whole, with all of its instances in one mask. Owns its model.
 *
 * Images are stretched to the square of the model (Pillow's bicubic resizing) and normalised with ImageNet's mean and standard
 * deviation; of the queries, the one most like the phrase has the mask. The last encoded image is kept: another phrase on the same
 * image object runs the decoder alone.
 *
 * @see microsoft/BiomedParse, `inference_utils/inference.py`, `interactive_infer_image`
 */
export class BiomedParsePredictor implements Detector, Disposable {
  private readonly model: BiomedParse;
  private readonly tokenizer: ClipTokenizer;
  private readonly distributions: MaskDistributions | undefined;
  private readonly rejectBelow: number;
  private readonly passes: InferencePasses;
  /** Masks by the boxes that {@link detect} returned, for as long as these exist. */
  private readonly byBox = new WeakMap<BoxXyxy, MaskPrediction>();
  private current: { readonly image: RasterImage; readonly encoded: BiomedParseImage } | undefined;
  private disposed = false;

  /** @throws UsageError when the threshold is no number from 0 to 1. */
  constructor({ model, tokenizer, distributions }: BiomedParseParts, { rejectBelow = 0 }: BiomedParseOptions = {}) {
    if (!(rejectBelow >= 0 && rejectBelow <= 1))
      throw new UsageError({
        code: 'E_OPTION_VALUE',
        where: 'rejectBelow',
        what: `expected a number from 0 to 1, got ${rejectBelow}`,
      });
    this.model = model;
    this.tokenizer = tokenizer;
    this.distributions = distributions;
    this.rejectBelow = rejectBelow;
    this.passes = new InferencePasses(model);
  }

  /**
   * Loads a BiomedParse. Initialises the fastest available backend unless one was initialised before.
   *
   * @param model - a model directory, the published `.pt` file, or the name of a downloaded model; with CLIP's `tokenizer.json` or
   * `merges.txt` beside it, and for p-values the published `target_dist.json`.
   * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
   */
  static async load(model: string, options: BiomedParseOptions = {}): Promise<BiomedParsePredictor> {
    await ensureBackend();
    return new BiomedParsePredictor(await loadBiomedParse(model), options);
  }

  /**
   * Segments what each phrase says.
   *
   * @returns one mask for each phrase, in order; possibly empty.
   * @throws UsageError for a phrase without words, or one that is too long; CheckpointError when the model's answer is NaN;
   *   DataError when the image has no pixels; RuntimeError after {@link dispose}.
   */
  async predict(image: RasterImage, phrases: readonly string[]): Promise<PhraseMask[]> {
    if (this.disposed)
      throw new RuntimeError({
        code: 'E_NOT_READY',
        where: 'BiomedParsePredictor',
        what: 'it was disposed',
        fix: 'Load it again',
      });
    checkImage(image);
    const asked = phrases.map((phrase) => ({ phrase, ids: this.tokenizer.encode(phrase) }));
    const answers: PhraseMask[] = [];
    for (const { phrase, ids } of asked) answers.push(await this.answer(image, phrase, ids));
    await this.passes.settle();
    return answers;
  }

  /** One box of score 1 around the mask of each phrase, if it is not empty. Options are for detectors with scores. */
  async detect(image: RasterImage, phrases: readonly string[]): Promise<Detection[]> {
    const found: Detection[] = [];
    for (const { phrase, mask, score } of await this.predict(image, phrases)) {
      const boxXyxyPx = boxOfMask(mask);
      if (boxXyxyPx === undefined) continue;
      this.byBox.set(boxXyxyPx, { mask, score });
      found.push({ phrase, score: 1, boxXyxyPx });
    }
    return found;
  }

  /** The masks of the boxes that {@link detect} returned: a segmenter's second half. It takes no others. */
  masker(): Masker {
    return {
      setImage: async () => {},
      predictBoxes: async (boxes) => boxes.map((box) => this.maskOf(box)),
      dispose() {},
    };
  }

  private maskOf(box: BoxXyxy): MaskPrediction {
    const known = this.byBox.get(box);
    if (known !== undefined) return known;
    throw new UsageError({
      code: 'E_PROMPT_INVALID',
      where: 'boxes',
      what: 'BiomedParse takes text and nothing else: no box can be its prompt',
      fix: 'Say in words what to look for',
    });
  }

  private async answer(image: RasterImage, phrase: string, ids: Int32Array): Promise<PhraseMask> {
    const probability = await this.probability(image, ids);
    const pValue = this.distributions && (await maskPValue(this.distributions, phrase, { ...image, data: probability }, image));
    const rejected = pValue !== undefined && pValue < this.rejectBelow;
    const data = Uint8Array.from(probability, (value) => Number(!rejected && value > 0.5));
    let [count, sum] = [0, 0];
    for (const [i, value] of probability.entries()) {
      if (data[i] === 0) continue;
      count += 1;
      sum += value;
    }
    const answer = { phrase, mask: { width: image.width, height: image.height, data }, score: count === 0 ? 0 : sum / count };
    return pValue === undefined ? answer : { ...answer, pValue };
  }

  /** Probability of each pixel of the image, by the query most like the phrase. */
  private async probability(image: RasterImage, ids: Int32Array): Promise<Float32Array> {
    const encoded = this.encode(image);
    const inputIds = tf.tensor2d(ids, [1, ids.length], 'int32');
    const decoded = this.passes.run('decode', { encoded, inputIds }, (given) => {
      const text = this.model.encodeText(given.inputIds, inference);
      const { maskEmbeds, similarity } = this.model.decode(given.encoded, [text], inference);
      return { maskEmbeds, similarity };
    });
    inputIds.dispose();
    // A reference of its own, as another image may be encoded before the answer.
    const maskFeatures = encoded.maskFeatures.clone();
    const alike = await decoded.similarity.data<'float32'>();
    const best = alike.reduce((first, value, query) => (value > (alike[first] as number) ? query : first), 0);
    const pixels = tf.tidy(() => {
      const [, h, w] = maskFeatures.shape;
      const embed = tf.slice(decoded.maskEmbeds, [0, best, 0], [1, 1, -1]);
      const logits = this.model.masks(embed, { maskFeatures }, inference); // [1, 1, h, w]
      return tf.sigmoid(resizeBilinear(tf.reshape(logits, [1, h, w, 1]), [image.height, image.width]));
    });
    const probability = await pixels.data<'float32'>();
    tf.dispose([maskFeatures, pixels, decoded.maskEmbeds, decoded.similarity]);
    if (alike.some(Number.isNaN) || probability.some(Number.isNaN))
      throw new CheckpointError({
        code: 'E_WEIGHTS_NOT_FINITE',
        where: 'BiomedParse',
        what: 'its answer is not a number (NaN): its weights are too large to compute with',
        fix: 'Take an earlier checkpoint',
      });
    return probability;
  }

  private encode(image: RasterImage): BiomedParseImage {
    if (this.current?.image === image) return this.current.encoded;
    this.release();
    const pixelValues = biomedParsePixels(image, this.model.config.imageSize);
    const encoded = this.passes.run('image', { pixelValues }, (given) => this.model.encodeImage(given.pixelValues, inference));
    pixelValues.dispose();
    this.current = { image, encoded };
    return encoded;
  }

  private release(): void {
    if (this.current !== undefined) tf.dispose(this.current.encoded);
    this.current = undefined;
  }

  /** Frees the model. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
    this.passes.dispose();
    this.model.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** An image stretched to the model's square, [1, side, side, 3] f32, normalised; disposed by the caller. */
export function biomedParsePixels(image: RasterImage, side: number): tf.Tensor4D {
  const size = { width: side, height: side };
  const processor = ImageProcessor.of({ do_resize: false, size, ...IMAGENET });
  const { pixelValues, pixelMask } = processor.process([resizeImage(image, size, 'bicubic')]);
  pixelMask.dispose();
  return pixelValues;
}
