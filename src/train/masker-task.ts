import { tf } from '../backend/index.js';
import type { Sample, SampleObject } from '../data/index.js';
import { maskLosses } from '../losses/index.js';
import type { Sam2 } from '../models/sam2/index.js';
import { type ForwardContext, inference, SegmentTape } from '../nn/index.js';
import { resizeBilinear } from '../ops/index.js';
import { type ImageProcessor, resizeGreyMask, scaleBoxes } from '../processing/index.js';
import { Rng } from '../util/index.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';

/** Objects of one image that are trained in a step. Images with fewer repeat some, each time with another box. */
const PROMPTS_PER_IMAGE = 3;

/** Standard deviation of the noise on each side of a box prompt, as a share of the box. SAM, appendix A. */
const BOX_NOISE = 0.1;

/** Mask logits are compared with the truth at this multiple of their own resolution, where borders are finer. */
const LOSS_SCALE = 2;

export interface MaskerTaskOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
}

interface Prompts {
  /** [B][N] boxes in pixels of each image. */
  readonly boxes: (readonly [number, number, number, number])[][];
  readonly objects: SampleObject[][];
}

/** SAM 2 learning to turn boxes, which are not quite right, into masks. */
export class MaskerTask implements TrainTask {
  readonly model: Sam2;
  readonly save: (dir: string) => Promise<void>;
  private readonly imageProcessor: ImageProcessor;

  constructor({ model, imageProcessor, save }: MaskerTaskOptions) {
    this.model = model;
    this.imageProcessor = imageProcessor;
    this.save = save;
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    const tape = new SegmentTape(rng.fork());
    try {
      return await this.withMasks(samples, rng, rng.chance(0.5), tape, async (masks, scores, truth) => {
        const { report, dMasks, dScores } = await lossOf(masks, scores, truth, true);
        const { gradients } = tape.backward([
          [masks, dMasks as tf.Tensor],
          [scores, dScores as tf.Tensor],
        ]);
        tf.dispose([dMasks as tf.Tensor, dScores as tf.Tensor]);
        return { ...report, gradients };
      });
    } finally {
      tape.dispose();
    }
  }

  async loss(samples: readonly Sample[]): Promise<LossReport> {
    return this.withMasks(
      samples,
      Rng.seeded(0),
      false,
      inference,
      async (masks, scores, truth) => (await lossOf(masks, scores, truth, false)).report,
    );
  }

  private async withMasks<T>(
    samples: readonly Sample[],
    rng: Rng,
    multimask: boolean,
    context: ForwardContext,
    use: (masks: tf.Tensor5D, scores: tf.Tensor3D, truth: tf.Tensor4D) => Promise<T>,
  ): Promise<T> {
    const shown = samples.filter(({ objects }) => objects.length > 0);
    const prompts = drawPrompts(shown, rng);
    const { pixelValues, pixelMask } = this.imageProcessor.process(shown.map(({ image }) => image));
    const [, height, width] = pixelValues.shape;
    const outputs = tf.tidy(() => {
      const boxes = tf.tensor3d(
        shown.map(({ image }, b) => scaleBoxes(prompts.boxes[b] ?? [], image, { height, width }).map((box) => [...box])),
      );
      const features = this.model.encodeImage(pixelValues, context);
      const { predMasks, iouScores } = this.model.decodeMasks({ features, boxes, multimask }, context);
      return { predMasks, iouScores };
    });
    const [h = 0, w = 0] = outputs.predMasks.shape.slice(-2);
    const truth = truthTensor(prompts.objects, { height: h * LOSS_SCALE, width: w * LOSS_SCALE });
    try {
      return await use(outputs.predMasks, outputs.iouScores, truth);
    } finally {
      tf.dispose([outputs, truth, pixelValues, pixelMask]);
    }
  }
}

function drawPrompts(samples: readonly Sample[], rng: Rng): Prompts {
  const objects = samples.map(({ objects }) => {
    const order = rng.shuffle(objects);
    return Array.from({ length: PROMPTS_PER_IMAGE }, (_, k) => order[k % order.length] as SampleObject);
  });
  const boxes = objects.map((row, b) => row.map(({ boxXyxyPx }) => jitter(boxXyxyPx, (samples[b] as Sample).image, rng)));
  return { boxes, objects };
}

/** Moves each side of a box by some noise, inside the image. */
function jitter(
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  { width, height }: { width: number; height: number },
  rng: Rng,
): [number, number, number, number] {
  const dx = () => rng.normal(0, BOX_NOISE * (x1 - x0));
  const dy = () => rng.normal(0, BOX_NOISE * (y1 - y0));
  const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  const left = clamp(x0 + dx(), 0, width - 2);
  const top = clamp(y0 + dy(), 0, height - 2);
  return [left, top, clamp(x1 + dx(), left + 1, width), clamp(y1 + dy(), top + 1, height)];
}

/** [B, N, h, w] of 0 and 1. */
function truthTensor(objects: readonly SampleObject[][], size: { height: number; width: number }): tf.Tensor4D {
  const flat = objects.flat();
  const plane = size.height * size.width;
  const values = new Float32Array(flat.length * plane);
  for (const [i, { mask }] of flat.entries()) {
    const grey = { width: mask.width, height: mask.height, data: mask.data.map((v) => v * 255) };
    values.set(resizeGreyMask(grey, size).data, i * plane);
  }
  return tf.tensor4d(values, [objects.length, flat.length / objects.length, size.height, size.width]);
}

/** Loss and, on request, its gradients at the outputs. With several masks an object, only its best one is taught. */
async function lossOf(masks: tf.Tensor5D, scores: tf.Tensor3D, truth: tf.Tensor4D, withGradients: boolean) {
  const [b, n, m, h, w] = masks.shape;
  const [, , height, width] = truth.shape;
  const parts = (logits: tf.Tensor, predictedIou: tf.Tensor) => {
    const maps = tf.transpose(tf.reshape(logits, [b * n * m, h, w, 1]), [0, 1, 2, 3]) as tf.Tensor4D;
    const fine = tf.reshape(resizeBilinear(maps, [height, width]), [b * n * m, height, width]) as tf.Tensor3D;
    const target = tf.reshape(tf.tile(tf.expandDims(truth, 2), [1, 1, m, 1, 1]), [b * n * m, height, width]) as tf.Tensor3D;
    return maskLosses(fine, tf.reshape(predictedIou, [b * n * m]) as tf.Tensor1D, target);
  };
  throw new Error(`unfinished ${parts}, ${scores}, ${withGradients}`);
}
