import { ensureBackend, tf } from '../backend/index.js';
import {
  type BoxXyxy,
  maskLogitsToBinary,
  paddedMaskLogitsToBinary,
  type RasterImage,
  resizeImage,
  type Size,
} from '../imaging/index.js';
import type { SamImageFeatures } from '../models/sam/index.js';
import { loadSamus, type SamusParts } from '../pretrained/index.js';
import { greyImage } from '../processing/index.js';
import { UsageError } from '../util/index.js';
import { ImagePredictor } from './image-predictor.js';
import type { MaskPrompts } from './mask-prompts.js';
import type { PromptAnswer, PromptedMask } from './masker.js';
import type { MarkedPoint, PointMask, PointMasker } from './point-masker.js';
import type { SquareImage } from './square-image.js';

/**
 * Predictor for SAMUS, which was trained on single points: {@link setImage} once, then any number of points. Images are made grey,
 * stretched to a square (Pillow's bilinear resizing) and divided by 255; masks are stretched back. Owns its model.
 *
 * @see xianlin7/SAMUS, `utils/data_us.py` and `utils/evaluation.py`
 */
export class SamusPredictor extends ImagePredictor<SamImageFeatures> implements PointMasker {
  readonly grid: Size;

  constructor({ model, config }: SamusParts) {
    const side = config.vision.imageSize;
    super(model, samusImage(side));
    this.grid = { width: side, height: side };
  }

  /**
   * Loads a SAMUS. Initialises the fastest available backend unless one was initialised before.
   *
   * @param model - a model directory, the published `.pth` file, or the name of a downloaded model.
   * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
   */
  static async load(model: string): Promise<SamusPredictor> {
    await ensureBackend();
    return new SamusPredictor(await loadSamus(model));
  }

  /**
   * Predicts masks for points on the current image, one or several for each.
   *
   * @throws UsageError for boxes, earlier masks and several masks, which its weights were not trained on, and as for other models.
   */
  override async predict(prompts: MaskPrompts): Promise<PromptAnswer[]> {
    const { points: _, labels: __, ...others } = prompts;
    const [other] = Object.entries(others).filter(([, value]) => value !== undefined && value !== false);
    if (other !== undefined)
      throw new UsageError({
        code: 'E_PROMPT_INVALID',
        where: other[0],
        what: 'SAMUS takes points and nothing else: its weights were trained on single points',
        fix: 'Give points with labels; predictBoxes takes the centres of boxes',
      });
    return super.predict(prompts);
  }

  async predictPoints(points: readonly MarkedPoint[]): Promise<PointMask[]> {
    if (points.length === 0) return [];
    const answers = await this.predict({
      points: points.map(({ point }) => [point]),
      labels: points.map(({ inside }) => [Number(inside)]),
    });
    return answers.map(({ masks }) => {
      const { mask, score, logits } = masks[0] as PromptedMask;
      return { mask, score, ownGrid: maskLogitsToBinary(logits, this.grid) };
    });
  }

  /** Predicts one mask for the centre of each box. */
  override predictBoxes(boxesXyxyPx: readonly BoxXyxy[]): Promise<PointMask[]> {
    return this.predictPoints(boxesXyxyPx.map(centreOf));
  }
}

/** The centre of a box as a point on the structure. */
export function centreOf([x0, y0, x1, y1]: BoxXyxy): MarkedPoint {
  return { point: [(x0 + x1) / 2, (y0 + y1) / 2], inside: true };
}

function samusImage(side: number): SquareImage {
  const square = { width: side, height: side };
  return {
    prepare: (image) => ({ pixelValues: samusPixels(image, square), placed: square }),
    // First to the model's square, then to the image, as the authors do.
    toImage: (logits, placed, image) => paddedMaskLogitsToBinary(logits, side, placed, image),
  };
}

/** [1, S, S, 3], grey in [0, 1]. */
function samusPixels(image: RasterImage, square: Size): tf.Tensor4D {
  const { data } = resizeImage(greyImage(image), square);
  return tf.tensor4d(
    Float32Array.from(data, (value) => value / 255),
    [1, square.height, square.width, 3],
  );
}
