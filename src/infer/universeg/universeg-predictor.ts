import { createHash } from 'node:crypto';
import { ensureBackend, tf } from '../../backend/index.js';
import { type BinaryMask, type MaskLogits, maskLogitsToBinary, type RasterImage } from '../../imaging/index.js';
import type { UniverSeg, UniverSegSupport } from '../../models/universeg/index.js';
import { inference } from '../../nn/index.js';
import { loadUniverSeg, type UniverSegParts } from '../../pretrained/index.js';
import { greyInput, maskInput } from '../../processing/index.js';
import { CheckpointError, DataError, RuntimeError, sizeOf, UsageError } from '../../util/index.js';
import { checkImage } from '../image-predictor.js';
import { drawSupports, type SupportOptions } from './support-draws.js';

/** A mask predicted by exemplars. */
export interface ExemplarPrediction {
  /** On the image's own grid; empty where nothing looks like the exemplars. */
  readonly mask: BinaryMask;
  /** Mean probability of the pixels inside, on the model's grid; 0 for an empty mask. */
  readonly score: number;
  /** On the model's grid. */
  readonly logits: MaskLogits;
}

interface Supports {
  /** [N, S, S, 1] f32 each. */
  readonly images: tf.Tensor4D;
  readonly masks: tf.Tensor4D;
  /** Encoded exemplars, if they fit in memory. */
  readonly encoded: UniverSegSupport | undefined;
  readonly draws: readonly (readonly number[])[];
  /** Hashes of the images as the model sees them. */
  readonly seen: ReadonlySet<string>;
}

const KEPT_BYTES = 512 * 2 ** 20;

/**
 * Segments images by exemplars, without a text: {@link setSupport} once, then {@link predict} for any number of images. Owns its
 * model.
 *
 * Almost all of the network depends on exemplars and image together. The part of the first block that does not, a third of the
 * whole, is computed once for all images.
 *
 * @example
 * import { decodeImage, initBackend } from 'sonoground';
 * import { PhantomDataset, phantomDomains } from 'sonoground/data';
 * import { UniverSegPredictor } from 'sonoground/models';
 *
 * await initBackend();
 * const predictor = await UniverSegPredictor.load('weights/universeg-nano');
 * // loadExemplars(DIR) reads images with masks from disk.
 * const domain = phantomDomains['standard'];
 * if (domain === undefined) throw new Error('no domain');
 * const phantoms = new PhantomDataset({ size: 60, seed: 1, width: 96, height: 80, domain });
 * const samples = await Promise.all(Array.from({ length: 60 }, (_, i) => phantoms.load(i)));
 * const pairs = samples.flatMap(({ image, objects: [object] }) => (object ? [{ image, mask: object.mask }] : [])).slice(0, 4);
 * await predictor.setSupport(
 *   pairs.map(({ image }) => image),
 *   pairs.map(({ mask }) => mask),
 * );
 * const { mask, score } = await predictor.predict(await decodeImage('scan.png'));
 * console.log(`${mask.width}x${mask.height}, ${score.toFixed(2)}`);
 * predictor.dispose();
 */
export class UniverSegPredictor implements Disposable {
  private readonly model: UniverSeg;
  /** Side of the squares that the model sees, in pixels. */
  readonly side: number;
  private readonly keptBytes: number;
  private supports: Supports | undefined;
  private disposed = false;

  /** @param keptBytes - exemplars stay encoded up to this size. Default: 512 MiB, or 128 exemplars of the published model. */
  constructor({ model, config }: UniverSegParts, { keptBytes = KEPT_BYTES }: { readonly keptBytes?: number } = {}) {
    this.model = model;
    this.side = config.imageSize;
    this.keptBytes = keptBytes;
  }

  /**
   * Loads a UniverSeg. Initialises the fastest available backend unless one was initialised before.
   *
   * @param model - a model directory, the published `.pt` file, or the name of a downloaded model.
   * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
   */
  static async load(model: string): Promise<UniverSegPredictor> {
    await ensureBackend();
    return new UniverSegPredictor(await loadUniverSeg(model));
  }

  /**
   * Sets the exemplars of all further predictions.
   *
   * @param images - of any size.
   * @param masks - one for each image, on its grid.
   * @param options - to draw some of the exemplars, and to average over several draws. Default: all of them, once.
   * @throws DataError when there is no exemplar, none shows anything, or a mask does not have the size of its image; UsageError
   * for options that do not fit; RuntimeError after {@link dispose}.
   */
  async setSupport(images: readonly RasterImage[], masks: readonly BinaryMask[], options: SupportOptions = {}): Promise<void> {
    this.checkAlive('setSupport');
    checkExemplars(images, masks);
    const { side } = this;
    const drawn = drawSupports(images.length, options);
    // Only those that some draw takes.
    const taken = [...new Set(drawn.flat())].sort((a, b) => a - b);
    const draws = drawn.map((indices) => indices.map((index) => taken.indexOf(index)));
    const grey = taken.map((index) => greyInput(images[index] as RasterImage, side));
    const inside = taken.map((index) => maskInput(masks[index] as BinaryMask, side));
    const shown = inside.map((mask) => mask.includes(1));
    if (draws.some((indices) => !indices.some((k) => shown[k])))
      throw new DataError({
        code: 'E_MASK_EMPTY',
        where: 'exemplars',
        what: `no mask of the support shows anything, at the model's ${side}x${side} pixels`,
        fix: 'Give exemplars that show what to look for',
      });
    this.forget();
    const stacked = (maps: readonly Float32Array[]) => tf.tensor4d(joined(maps), [maps.length, side, side, 1]);
    const [imageMaps, maskMaps] = [stacked(grey), stacked(inside)];
    const channels = this.model.config.encoderBlocks[0]?.[1] ?? 0;
    const fits = sizeOf([taken.length, side, side, channels]) * Float32Array.BYTES_PER_ELEMENT <= this.keptBytes;
    this.supports = {
      images: imageMaps,
      masks: maskMaps,
      encoded: fits ? this.encode(imageMaps, maskMaps) : undefined,
      draws,
      seen: new Set(grey.map(hashOf)),
    };
  }

  /**
   * Predicts the mask of an image, averaged over the draws of the support.
   *
   * @throws DataError when the image is one of the exemplars, as the model sees it; RuntimeError when no support was set, or after
   * {@link dispose}.
   */
  async predict(image: RasterImage): Promise<ExemplarPrediction> {
    this.checkAlive('predict');
    const { supports, side } = this;
    if (supports === undefined) throw notReady('predict', 'no support was set', 'Call setSupport first');
    checkImage(image);
    const grey = greyInput(image, side);
    if (supports.seen.has(hashOf(grey)))
      throw new DataError({
        code: 'E_QUERY_IN_SUPPORT',
        where: 'image',
        what: 'it is one of the exemplars: its mask is given, not predicted',
        fix: 'Take it out of the exemplars, or out of the images',
      });
    // All draws at once, so that nobody can set other exemplars in between.
    const logits = tf.tidy(() => {
      const target = tf.tensor4d(grey, [1, 1, side, side]);
      const maps = supports.draws.map((draw) => tf.tidy(() => this.model.decode(target, this.drawn(supports, draw), inference)));
      return tf.stack(maps);
    });
    const values = await logits.data<'float32'>();
    logits.dispose();
    const whole = { width: side, height: side, data: averaged(values, side * side) };
    return { mask: maskLogitsToBinary(whole, image), score: meanInside(whole.data), logits: whole };
  }

  private drawn({ images, masks, encoded }: Supports, draw: readonly number[]): UniverSegSupport {
    const all = draw.length === images.shape[0];
    const rows = tf.tensor1d([...draw], 'int32');
    const pick = (maps: tf.Tensor4D) => (all ? maps : tf.gather(maps, rows));
    if (encoded === undefined) return this.encode(pick(images), pick(masks));
    return { inputs: pick(encoded.inputs), parts: pick(encoded.parts) };
  }

  private encode(images: tf.Tensor4D, masks: tf.Tensor4D): UniverSegSupport {
    const { side } = this;
    const shape: [number, number, number, number, number] = [1, images.shape[0], 1, side, side];
    return tf.tidy(() => ({ ...this.model.encodeSupport(images.reshape(shape), masks.reshape(shape), inference) }));
  }

  private checkAlive(method: string): void {
    if (this.disposed) throw notReady(method, 'it was disposed', 'Load it again');
  }

  /** Drops the support; required after the model's weights have changed. */
  forget(): void {
    if (this.supports === undefined) return;
    const { images, masks, encoded } = this.supports;
    tf.dispose([images, masks, { ...encoded }]);
    this.supports = undefined;
  }

  /** Frees the model and the support. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.forget();
    this.model.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function notReady(method: string, what: string, fix: string): RuntimeError {
  return new RuntimeError({ code: 'E_NOT_READY', where: `UniverSegPredictor.${method}`, what, fix });
}

function checkExemplars(images: readonly RasterImage[], masks: readonly BinaryMask[]): void {
  if (images.length !== masks.length)
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: 'setSupport',
      what: `expected one mask for each image, got ${images.length} images and ${masks.length} masks`,
    });
  if (images.length === 0)
    throw new DataError({
      code: 'E_NO_IMAGES',
      where: 'exemplars',
      what: 'there is none',
      fix: 'Give images with their masks, such as sixteen',
    });
  for (const [i, image] of images.entries()) {
    checkImage(image);
    const { width, height, data } = masks[i] as BinaryMask;
    if (width !== image.width || height !== image.height || data.length !== width * height)
      throw new DataError({
        code: 'E_MASK_SIZE',
        where: `masks[${i}]`,
        what: `the mask is ${width}x${height}, its image ${image.width}x${image.height}`,
        fix: 'Resample it with resizeMask',
      });
  }
}

/** The logits of the mean probability over several draws; those of a single draw stay as they are. */
function averaged(values: Float32Array, area: number): Float32Array {
  if (values.some(Number.isNaN))
    throw new CheckpointError({
      code: 'E_WEIGHTS_NOT_FINITE',
      where: 'UniverSeg',
      what: 'its answer is not a number (NaN): its weights are too large to compute with',
      fix: 'Take an earlier checkpoint',
    });
  const draws = values.length / area;
  if (draws === 1) return values;
  return Float32Array.from({ length: area }, (_, i) => {
    let [inside, outside] = [0, 0];
    for (let k = 0; k < draws; k++) {
      inside += sigmoid(values[k * area + i] as number);
      outside += sigmoid(-(values[k * area + i] as number));
    }
    return Math.log(Math.max(inside, Number.MIN_VALUE)) - Math.log(Math.max(outside, Number.MIN_VALUE));
  });
}

function meanInside(logits: Float32Array): number {
  const inside = logits.filter((value) => value > 0);
  return inside.length === 0 ? 0 : inside.reduce((sum, value) => sum + sigmoid(value), 0) / inside.length;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function joined(maps: readonly Float32Array[]): Float32Array {
  const area = maps[0]?.length ?? 0;
  const all = new Float32Array(maps.length * area);
  for (const [i, map] of maps.entries()) all.set(map, i * area);
  return all;
}

function hashOf(map: Float32Array<ArrayBuffer>): string {
  return createHash('sha256').update(map).digest('hex');
}
