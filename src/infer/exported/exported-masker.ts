import { tf } from '../../backend/index.js';
import { type ImageProcessor, maskLogitsToBinary, type RasterImage, type Size, scaleBoxes } from '../../processing/index.js';
import { RuntimeError } from '../../util/index.js';
import type { Masker, MaskPrediction } from '../masker.js';
import type { Runner } from './signatures.js';

export interface ExportedMaskerOptions {
  readonly runner: Runner;
  readonly imageProcessor: ImageProcessor;
  /** Boxes that a call of the decoder takes; any number if undefined. */
  readonly boxes: number | undefined;
}

type Box = readonly [number, number, number, number];

/** An exported masker: `setImage` once, then any number of boxes. */
export class ExportedMasker implements Masker {
  private readonly options: ExportedMaskerOptions;
  private current: { image: RasterImage; features: Readonly<Record<string, tf.Tensor>>; size: Size } | undefined;

  constructor(options: ExportedMaskerOptions) {
    this.options = options;
  }

  async setImage(image: RasterImage): Promise<void> {
    const { pixelValues, pixelMask } = this.options.imageProcessor.process([image]);
    const [, height, width] = pixelValues.shape;
    const features = await this.options.runner.run('serving_default', { pixel_values: pixelValues });
    tf.dispose([pixelValues, pixelMask]);
    this.release();
    this.current = { image, features, size: { height, width } };
  }

  async masksOf(boxesXyxyPx: readonly Box[]): Promise<MaskPrediction[]> {
    const atOnce = this.options.boxes ?? boxesXyxyPx.length;
    const found: MaskPrediction[] = [];
    for (let from = 0; from < boxesXyxyPx.length; from += atOnce)
      found.push(...(await this.decode(boxesXyxyPx.slice(from, from + atOnce))));
    return found;
  }

  private async decode(boxesXyxyPx: readonly Box[]): Promise<MaskPrediction[]> {
    if (this.current === undefined)
      throw new RuntimeError({ where: 'ExportedMasker.masksOf', what: 'no image was set', fix: 'Call setImage first' });
    const { image, features, size } = this.current;
    const scaled: Box[] = scaleBoxes(boxesXyxyPx, image, size);
    // A graph for a fixed number of boxes is given the last one again.
    while (scaled.length < (this.options.boxes ?? 0)) scaled.push(scaled[scaled.length - 1] as Box);
    const boxes = tf.tensor3d([scaled.map((box) => [...box])]);
    const outputs = await this.options.runner.run('decode_boxes', { ...features, input_boxes: boxes });
    const { pred_masks, iou_scores } = outputs as { readonly pred_masks: tf.Tensor; readonly iou_scores: tf.Tensor };
    const [height = 0, width = 0] = pred_masks.shape.slice(-2);
    const [logits, scores] = await Promise.all([pred_masks.data<'float32'>(), iou_scores.data<'float32'>()]);
    tf.dispose([boxes, { ...outputs }]);
    return boxesXyxyPx.map((_, k) => {
      const plane = logits.subarray(k * height * width, (k + 1) * height * width);
      return { mask: maskLogitsToBinary({ data: plane, width, height }, image), score: scores[k] as number };
    });
  }

  private release(): void {
    if (this.current !== undefined) tf.dispose({ ...this.current.features });
    this.current = undefined;
  }

  dispose(): void {
    this.release();
    this.options.runner.dispose();
  }
}
