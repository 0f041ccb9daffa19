import { tf } from '../backend/index.js';
import type { BoxXyxy, MaskLogits, RasterImage, Size } from '../imaging/index.js';
import { type ForwardContext, InferencePasses, inference } from '../nn/index.js';
import { scaleBoxes } from '../processing/index.js';
import { DataError, RuntimeError } from '../util/index.js';
import { callsFor, checkPrompts, type MaskPrompts, type PromptCall } from './mask-prompts.js';
import type { Masker, MaskPrediction } from './masker.js';
import { answerOf, firstMasks, type PromptAnswer } from './masker.js';
import type { SquareImage } from './square-image.js';

/** Image features; the first axis is the image. */
export type ImageFeatures = Readonly<Record<'embeddings', tf.Tensor4D>>;

/** The interface a predictor expects of a model; SAM 2 and SAM implement it. */
export interface PromptableModel<F extends ImageFeatures> {
  /**
   * Encodes images, for any number of prompts.
   *
   * @param pixelValues - [B, S, S, 3] f32, normalised.
   */
  encodeImage(pixelValues: tf.Tensor4D, context: ForwardContext): F;
  /** Predicts masks for N prompts on each of B images; see `Sam2.decodeMasks`. */
  decodeMasks(
    inputs: {
      readonly features: F;
      /** [B, N, 4] f32 in pixels of the model's input. */
      readonly boxes?: tf.Tensor3D | undefined;
      /** [B, N, P, 2] f32. */
      readonly points?: tf.Tensor4D | undefined;
      /** [B, N, P] i32. */
      readonly labels?: tf.Tensor3D | undefined;
      /** [B, 4h, 4w, 1] f32. */
      readonly masks?: tf.Tensor4D | undefined;
      readonly multimask: boolean;
    },
    context: ForwardContext,
  ): {
    /** [B, N, M, 4h, 4w] f32. */
    readonly predMasks: tf.Tensor;
    /** [B, N, M] f32. */
    readonly iouScores: tf.Tensor;
    /** [B, N, 1] f32; absent for models without an object score. */
    readonly objectScoreLogits?: tf.Tensor | undefined;
  };
  /** Frees the model. */
  dispose(): void;
}

interface Current<F> {
  readonly image: RasterImage;
  readonly features: F;
  readonly placed: Size;
}

/**
 * Prompts a model of the SAM family: {@link setImage} once, then any number of prompts. Owns its model.
 *
 * Subclasses choose the model and the image transform. All coordinates are pixels of the current image.
 */
export abstract class ImagePredictor<F extends ImageFeatures> implements Masker, Disposable {
  private readonly model: PromptableModel<F>;
  private readonly square: SquareImage;
  private readonly passes: InferencePasses;
  private current: Current<F> | undefined;
  private disposed = false;

  constructor(model: PromptableModel<F>, square: SquareImage) {
    this.model = model;
    this.square = square;
    this.passes = new InferencePasses(model);
  }

  /**
   * Encodes an image, for any number of prompts. Setting the same object again is free.
   *
   * @throws DataError when the image has no pixels, or other than three bytes for each; RuntimeError after {@link dispose}.
   */
  async setImage(image: RasterImage): Promise<void> {
    this.checkAlive('setImage');
    checkImage(image);
    if (this.current?.image === image) return;
    const { pixelValues, placed } = this.square.prepare(image);
    const features = this.passes.run('image', { pixelValues }, (given) => this.model.encodeImage(given.pixelValues, inference));
    tf.dispose(pixelValues);
    this.release();
    this.current = { image, features, placed };
  }

  /**
   * Predicts masks for prompts on the current image. Prompts of the same kinds are decoded in batches that fit in memory; the
   * result of each is independent of the others.
   *
   * @returns one answer per prompt, in order.
   * @throws UsageError for invalid prompts; RuntimeError when no image was set, or after {@link dispose}.
   * @example
   * import { decodeImage } from 'sonoground';
   * import { loadImagePredictor } from 'sonoground/models';
   *
   * const predictor = await loadImagePredictor('weights/nano-sam2');
   * await predictor.setImage(await decodeImage('scan.png'));
   * const [rough] = await predictor.predict({ boxes: [[40, 30, 120, 90]] });
   * const earlier = rough?.masks[0]?.logits;
   * if (earlier === undefined) throw new Error('no answer');
   * const [finer] = await predictor.predict({
   *   points: [[[80, 60], [45, 35]]], // one inside, one outside the object
   *   labels: [[1, 0]],
   *   masks: [earlier],
   * });
   * console.log(finer?.objectScore, finer?.masks[0]?.score);
   * predictor.dispose();
   */
  async predict(prompts: MaskPrompts): Promise<PromptAnswer[]> {
    const { image, features, placed } = this.ready('predict');
    const [, h, w] = features.embeddings.shape;
    const lowRes = { width: 4 * w, height: 4 * h };
    const count = checkPrompts(prompts, image, lowRes);
    const answers: (PromptAnswer | undefined)[] = Array.from({ length: count });
    // The decoder runs synchronously for all calls, so that nobody can set another image in between.
    const calls = callsFor(prompts, count, features.embeddings.shape).map((call) => ({
      call,
      outputs: this.decode(call, { image, features, placed }, prompts.multimask ?? false),
    }));
    for (const { call, outputs } of calls) {
      const [logits, scores, object] = await Promise.all([
        outputs.predMasks.data<'float32'>(),
        outputs.iouScores.data<'float32'>(),
        outputs.objectScoreLogits?.data<'float32'>(),
      ]);
      tf.dispose({ ...outputs } as tf.TensorContainer);
      const each = scores.length / call.indices.length;
      const toImage = (own: MaskLogits) => this.square.toImage(own, placed, image);
      for (const [row, index] of call.indices.entries())
        answers[index] = answerOf({ logits, scores, object }, row, { each, lowRes, toImage });
    }
    // Not in setImage: nobody may set another image between it and a prompt.
    await this.passes.settle();
    return answers as PromptAnswer[];
  }

  /** Predicts one mask per box; see {@link predict}. */
  async predictBoxes(boxesXyxyPx: readonly BoxXyxy[], levels?: readonly number[]): Promise<MaskPrediction[]> {
    const { image, placed } = this.ready('predictBoxes');
    if (boxesXyxyPx.length === 0) return [];
    const answers = await this.predict({ boxes: boxesXyxyPx });
    return firstMasks(answers, levels, (logits) => this.square.toImage(logits, placed, image));
  }

  private decode({ boxes, points, labels, masks }: PromptCall, { image, features, placed }: Current<F>, multimask: boolean) {
    return tf.tidy(() => {
      const moved = points?.map((own) => scalePoints(own, image, placed));
      // An earlier mask applies to a whole image, so with masks each prompt becomes an image of the batch.
      const lead: [number, number] = masks === undefined ? [1, boxes?.length ?? points?.length ?? 1] : [masks.length, 1];
      const perPrompt = points?.[0]?.length ?? 0;
      const [height, width] = masks === undefined ? [] : [masks[0]?.height as number, masks[0]?.width as number];
      const inputs = {
        features: repeated(features, lead[0]),
        boxes: boxes && tf.tensor3d(scaleBoxes(boxes, image, placed).flat(), [...lead, 4]),
        points: moved && tf.tensor4d(moved.flat(2), [...lead, perPrompt, 2]),
        labels: labels && tf.tensor3d(labels.flat(), [...lead, perPrompt], 'int32'),
        masks: masks && tf.stack(masks.map(({ data }) => tf.tensor3d(data, [height as number, width as number, 1]))),
        multimask,
      } as Parameters<PromptableModel<F>['decodeMasks']>[0];
      const decode = (given: typeof inputs) => this.model.decodeMasks(given, inference);
      return this.passes.run('masks', inputs, decode) as unknown as tf.TensorContainer;
    }) as unknown as ReturnType<PromptableModel<F>['decodeMasks']>;
  }

  private checkAlive(method: string): void {
    if (!this.disposed) return;
    throw new RuntimeError({
      code: 'E_NOT_READY',
      where: `${this.constructor.name}.${method}`,
      what: 'it was disposed',
      fix: 'Load it again',
    });
  }

  private ready(method: string): Current<F> {
    this.checkAlive(method);
    if (this.current !== undefined) return this.current;
    throw new RuntimeError({
      code: 'E_NOT_READY',
      where: `${this.constructor.name}.${method}`,
      what: 'no image was set',
      fix: 'Call setImage first',
    });
  }

  /** Drops the current image; required after the model's weights have changed. */
  forget(): void {
    this.release();
    this.passes.dispose();
  }

  private release(): void {
    if (this.current !== undefined) tf.dispose({ ...this.current.features } as unknown as tf.TensorContainer);
    this.current = undefined;
  }

  /** Frees the model and the image. Idempotent. */
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

/** @throws DataError when an image has no pixels, or other than three bytes for each. */
export function checkImage({ width, height, data }: RasterImage): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (whole && data.length === width * height * 3) return;
  throw new DataError({
    code: 'E_SHAPE',
    where: 'setImage',
    what: `expected ${width}x${height} pixels of three bytes, got ${data.length} bytes`,
    fix: 'Read the image with decodeImage',
  });
}

/** Scales points from one size of an image to another. */
export function scalePoints(points: readonly (readonly [number, number])[], from: Size, to: Size): [number, number][] {
  return points.map(([x, y]) => [(x * to.width) / from.width, (y * to.height) / from.height]);
}

/** Repeats the features of one image `times` times along the batch axis. */
function repeated<F extends ImageFeatures>(features: F, times: number): F {
  if (times === 1) return features;
  const maps = Object.entries(features as unknown as Record<string, tf.Tensor4D>);
  return Object.fromEntries(maps.map(([name, map]) => [name, tf.tile(map, [times, 1, 1, 1])])) as unknown as F;
}
