import { tf } from '../backend/index.js';
import type { Sample, SampleObject } from '../data/index.js';
import { resizeGreyMask } from '../imaging/index.js';
import { maskLosses, thresholdedIou } from '../losses/index.js';
import type { Sam2 } from '../models/sam2/index.js';
import { type ForwardContext, inference, type PassFunction, TrainingPasses } from '../nn/index.js';
import { resizeBilinear } from '../ops/index.js';
import { type ImageProcessor, scaleBoxes } from '../processing/index.js';
import { Rng } from '../util/index.js';
import type { LossReport, TrainStep, TrainTask } from './task.js';

/** Objects trained per image and step. Images with fewer objects repeat some, each time with another box. */
const PROMPTS_PER_IMAGE = 3;

/** Standard deviation of the noise on each side of a box prompt, as a share of the box. SAM, appendix A. */
const BOX_NOISE = 0.1;

/** Mask logits are compared with the ground truth at this multiple of their own resolution, where boundaries are finer. */
const LOSS_SCALE = 2;

export interface MaskerTaskOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
  /** Writes the current weights. */
  readonly save: (dir: string) => Promise<void>;
  /** Whether to compile steps to graphs; see {@link TrainingPasses}. Default: false. */
  readonly capture?: boolean;
}

/** Mask logits [B, N, M, h, w] and predicted IoUs [B, N, M]. */
type Masks = { readonly predMasks: tf.Tensor5D; readonly iouScores: tf.Tensor3D };

interface Prompts {
  /** [B][N] boxes in pixels of each image. */
  readonly boxes: (readonly [number, number, number, number])[][];
  readonly objects: SampleObject[][];
}

/** Trains SAM 2 to predict masks from imprecise boxes. */
export class MaskerTask implements TrainTask {
  readonly model: Sam2;
  readonly save: (dir: string) => Promise<void>;
  private readonly imageProcessor: ImageProcessor;
  private readonly passes: TrainingPasses;

  constructor({ model, imageProcessor, save, capture = false }: MaskerTaskOptions) {
    this.model = model;
    this.imageProcessor = imageProcessor;
    this.save = save;
    this.passes = new TrainingPasses(model, { capture });
  }

  dispose(): void {
    this.passes.dispose();
    this.model.dispose();
  }

  async step(samples: readonly Sample[], rng: Rng): Promise<TrainStep> {
    if (!samples.some(showsSomething)) return { ...NOTHING, gradients: new Map() };
    const own = rng.fork();
    const multimask = rng.chance(0.5);
    return this.withBatch(samples, rng, multimask, async (predictMasks, truthOf) => {
      const pass = await this.passes.forward(predictMasks, own);
      const { predMasks: masks, iouScores: scores } = pass.outputs;
      const truth = truthOf(masks);
      try {
        const { report, dMasks, dScores } = await lossOf(masks, scores, truth);
        const gradients = pass.backward([
          [masks, dMasks],
          [scores, dScores],
        ]);
        tf.dispose([dMasks, dScores]);
        return { ...report, gradients };
      } finally {
        truth.dispose();
        pass.dispose();
      }
    });
  }

  /** Images without objects are skipped; the others have equal weight. */
  normaliser(samples: readonly Sample[]): number {
    return samples.filter(({ objects }) => objects.length > 0).length;
  }

  async loss(samples: readonly Sample[]): Promise<LossReport> {
    if (!samples.some(showsSomething)) return NOTHING;
    return this.withBatch(samples, Rng.seeded(0), false, async ({ forward }, truthOf) => {
      const outputs = forward(inference);
      const truth = truthOf(outputs.predMasks);
      try {
        const { report, dMasks, dScores } = await lossOf(outputs.predMasks, outputs.iouScores, truth);
        tf.dispose([dMasks, dScores]);
        return report;
      } finally {
        tf.dispose([outputs, truth]);
      }
    });
  }

  /** Draws prompts, creates the tensors of a batch, and frees them after `use` is done with the masks and their ground truth. */
  private async withBatch<T>(
    samples: readonly Sample[],
    rng: Rng,
    multimask: boolean,
    use: (predictMasks: PassFunction<Masks>, truthOf: (masks: tf.Tensor5D) => tf.Tensor4D) => Promise<T>,
  ): Promise<T> {
    const shown = samples.filter(showsSomething);
    const prompts = drawPrompts(shown, rng);
    const { pixelValues, pixelMask } = this.imageProcessor.process(shown.map(({ image }) => image));
    const [, height, width] = pixelValues.shape;
    const boxes = tf.tensor3d(
      shown.map(({ image }, b) => scaleBoxes(prompts.boxes[b] ?? [], image, { height, width }).map((box) => [...box])),
    );
    const forward = (context: ForwardContext): Masks =>
      tf.tidy(() => {
        const features = this.model.encodeImage(pixelValues, context);
        const { predMasks, iouScores } = this.model.decodeMasks({ features, boxes, multimask }, context);
        return { predMasks, iouScores };
      });
    const truthOf = (masks: tf.Tensor5D) => {
      const [h = 0, w = 0] = masks.shape.slice(-2);
      return truthTensor(prompts.objects, { height: h * LOSS_SCALE, width: w * LOSS_SCALE });
    };
    try {
      return await use({ variant: multimask ? 'several masks' : 'one mask', inputs: { pixelValues, boxes }, forward }, truthOf);
    } finally {
      tf.dispose([pixelValues, pixelMask, boxes]);
    }
  }
}

/** An image without objects has no prompts, and contributes nothing to the masker's loss. */
const NOTHING: LossReport = { total: 0, terms: {} };

function showsSomething({ objects }: Sample): boolean {
  return objects.length > 0;
}

function drawPrompts(samples: readonly Sample[], rng: Rng): Prompts {
  const objects = samples.map(({ objects }) => {
    const order = rng.shuffle(objects);
    return Array.from({ length: PROMPTS_PER_IMAGE }, (_, k) => order[k % order.length] as SampleObject);
  });
  const boxes = objects.map((row, b) => row.map(({ boxXyxyPx }) => jitter(boxXyxyPx, (samples[b] as Sample).image, rng)));
  return { boxes, objects };
}

/** Moves each side of a box by random noise, clamped to the image. */
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

/** Weights of the loss terms: focal 20, Dice 1, IoU 1, as in SAM. */
const WEIGHTS = { focal: 20, dice: 1, iou: 1 };

interface MaskLoss {
  readonly report: LossReport;
  readonly dMasks: tf.Tensor;
  readonly dScores: tf.Tensor;
}

/** Loss and its gradients with respect to the outputs. With several masks per object, only the best one is trained. */
async function lossOf(masks: tf.Tensor5D, scores: tf.Tensor3D, truth: tf.Tensor4D): Promise<MaskLoss> {
  const [b, n, m, h, w] = masks.shape;
  const [, , height, width] = truth.shape;
  const each = b * n * m;
  const target = tf.tidy(
    () => tf.reshape(tf.tile(tf.reshape(truth, [b * n, 1, height * width]), [1, m, 1]), [each, height, width]) as tf.Tensor3D,
  );
  const enlarge = (logits: tf.Tensor) =>
    tf.reshape(resizeBilinear(tf.reshape(logits, [each, h, w, 1]) as tf.Tensor4D, [height, width]), [
      each,
      height,
      width,
    ]) as tf.Tensor3D;
  const trueIou = tf.tidy(() => thresholdedIou(enlarge(masks), target));
  const parts = (logits: tf.Tensor, predicted: tf.Tensor) =>
    maskLosses(enlarge(logits), tf.reshape(predicted, [each]) as tf.Tensor1D, target, trueIou);

  const quality = tf.tidy(() => {
    const { focal, dice } = parts(masks, scores);
    return tf.add(tf.mul(focal, WEIGHTS.focal), tf.mul(dice, WEIGHTS.dice));
  });
  const taught = bestOfEach(await quality.data<'float32'>(), m);
  const share = tf.tensor1d(taught.map((best) => (best ? 1 / (b * n) : 0)));
  // The IoU head is trained on every mask, good or bad.
  const all = 1 / each;
  const total = (logits: tf.Tensor, predicted: tf.Tensor) => {
    const { focal, dice, iou } = parts(logits, predicted);
    const shape = tf.add(tf.mul(focal, WEIGHTS.focal), tf.mul(dice, WEIGHTS.dice));
    return tf.add(tf.sum(tf.mul(shape, share)), tf.mul(tf.sum(iou), WEIGHTS.iou * all)) as tf.Scalar;
  };
  const { value, grads } = tf.valueAndGrads((logits, predicted) => total(logits as tf.Tensor, predicted as tf.Tensor))([
    masks,
    scores,
  ]);
  const terms = tf.tidy(() => {
    const { focal, dice, iou } = parts(masks, scores);
    const mean = (loss: tf.Tensor) => tf.sum(tf.mul(loss, share));
    return tf.stack([value, mean(focal), mean(dice), tf.mean(iou), mean(trueIou)]);
  });
  const [sum = 0, focal = 0, dice = 0, iou = 0, overlap = 0] = await terms.data<'float32'>();
  tf.dispose([target, trueIou, quality, share, value, terms]);
  const [dMasks, dScores] = grads as [tf.Tensor, tf.Tensor];
  return { report: { total: sum, terms: { focal, dice, iou, overlap } }, dMasks, dScores };
}

/** Marks the smallest in every `m` losses. */
function bestOfEach(losses: Float32Array, m: number): boolean[] {
  return Array.from(losses, (loss, i) => {
    const start = i - (i % m);
    const group = losses.subarray(start, start + m);
    return group.indexOf(Math.min(...group)) === i - start && !Number.isNaN(loss);
  });
}
