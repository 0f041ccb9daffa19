import { tf } from '../backend/index.js';
import type { Sam2, Sam2ImageFeatures } from '../models/sam2/index.js';
import { inference } from '../nn/index.js';
import { type BinaryMask, type ImageProcessor, maskLogitsToBinary, type RasterImage, scaleBoxes } from '../processing/index.js';
import { RuntimeError } from '../util/index.js';

export interface MaskPrediction {
  readonly mask: BinaryMask;
  /** The model's own estimate of the mask's IoU. */
  readonly score: number;
}

/** Turns boxes into masks. Another masker can stand in for SAM 2 by implementing this. */
export interface Masker {
  /** Prepares an image for any number of {@link masksOf} calls. */
  setImage(image: RasterImage): Promise<void>;
  /** One mask for each box, on the image's own grid. */
  masksOf(boxesXyxyPx: readonly (readonly [number, number, number, number])[]): Promise<MaskPrediction[]>;
  dispose(): void;
}

export interface Sam2ImagePredictorOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
}

/** SAM 2 on still images: `setImage` once, then any number of boxes. It owns its model. */
export class Sam2ImagePredictor implements Masker {
  private readonly model: Sam2;
  private readonly imageProcessor: ImageProcessor;
  private current:
    | { readonly image: RasterImage; readonly features: Sam2ImageFeatures; readonly size: { height: number; width: number } }
    | undefined;

  constructor({ model, imageProcessor }: Sam2ImagePredictorOptions) {
    this.model = model;
    this.imageProcessor = imageProcessor;
  }

  async setImage(image: RasterImage): Promise<void> {
    const { pixelValues, pixelMask } = this.imageProcessor.process([image]);
    const [, height, width] = pixelValues.shape;
    const features = tf.tidy(() => ({ ...this.model.encodeImage(pixelValues, inference) }));
    tf.dispose([pixelValues, pixelMask]);
    this.release();
    this.current = { image, features, size: { height, width } };
  }

  async masksOf(boxesXyxyPx: readonly (readonly [number, number, number, number])[]): Promise<MaskPrediction[]> {
    if (this.current === undefined)
      throw new RuntimeError({ where: 'Sam2ImagePredictor.masksOf', what: 'no image was set', fix: 'Call setImage first' });
    if (boxesXyxyPx.length === 0) return [];
    const { image, features, size } = this.current;
    const { predMasks, iouScores } = tf.tidy(() => {
      const boxes = tf.tensor3d([scaleBoxes(boxesXyxyPx, image, size).map((box) => [...box])]);
      const outputs = this.model.decodeMasks({ features, boxes, multimask: false }, inference);
      return { predMasks: outputs.predMasks, iouScores: outputs.iouScores };
    });
    const [height = 0, width = 0] = predMasks.shape.slice(-2);
    const [logits, scores] = await Promise.all([predMasks.data<'float32'>(), iouScores.data<'float32'>()]);
    tf.dispose([predMasks, iouScores]);
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
    this.model.dispose();
  }
}
