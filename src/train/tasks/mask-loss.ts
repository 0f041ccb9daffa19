import { tf } from '../../backend/index.js';
import { type BinaryMask, greyOfMask, resizeGreyMask } from '../../imaging/index.js';
import { maskLosses, thresholdedIou } from '../../losses/index.js';
import { resizeBilinear } from '../../ops/index.js';
import type { LossReport } from './task.js';

/** The ground truth of masks, [B, N, h, w] of 0 and 1. */
export function truthTensor(masks: readonly (readonly BinaryMask[])[], size: { height: number; width: number }): tf.Tensor4D {
  const flat = masks.flat();
  const plane = size.height * size.width;
  const values = new Float32Array(flat.length * plane);
  for (const [i, mask] of flat.entries()) {
    values.set(resizeGreyMask(greyOfMask(mask), size).data, i * plane);
  }
  return tf.tensor4d(values, [masks.length, flat.length / masks.length, size.height, size.width]);
}

/** Weights of the loss terms: focal 20, Dice 1, IoU 1, as in SAM. */
const WEIGHTS = { focal: 20, dice: 1, iou: 1 };

interface MaskLoss {
  readonly report: LossReport;
  readonly dMasks: tf.Tensor;
  readonly dScores: tf.Tensor;
}

/**
 * Loss and its gradients with respect to the outputs. With several masks per object, only the best one is trained.
 *
 * @param masks - [B, N, M, h, w] f32 logits.
 * @param scores - [B, N, M] f32: predicted IoU.
 * @param truth - [B, N, H, W] f32, 0 or 1.
 * @param weights - of the B * N prompts. Default: equal, with a sum of 1.
 */
export async function lossOf(
  masks: tf.Tensor5D,
  scores: tf.Tensor3D,
  truth: tf.Tensor4D,
  weights: readonly number[] = equal(masks.shape[0] * masks.shape[1]),
): Promise<MaskLoss> {
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
  const weightOf = (i: number) => weights[Math.floor(i / m)] as number;
  const share = tf.tensor1d(taught.map((best, i) => (best ? weightOf(i) : 0)));
  // The IoU head is trained on every mask, good or bad.
  const all = tf.tensor1d(taught.map((_, i) => weightOf(i) / m));
  const total = (logits: tf.Tensor, predicted: tf.Tensor) => {
    const { focal, dice, iou } = parts(logits, predicted);
    const shape = tf.add(tf.mul(focal, WEIGHTS.focal), tf.mul(dice, WEIGHTS.dice));
    return tf.add(tf.sum(tf.mul(shape, share)), tf.mul(tf.sum(tf.mul(iou, all)), WEIGHTS.iou)) as tf.Scalar;
  };
  const { value, grads } = tf.valueAndGrads((logits, predicted) => total(logits as tf.Tensor, predicted as tf.Tensor))([
    masks,
    scores,
  ]);
  const terms = tf.tidy(() => {
    const { focal, dice, iou } = parts(masks, scores);
    const mean = (loss: tf.Tensor) => tf.sum(tf.mul(loss, share));
    return tf.stack([value, mean(focal), mean(dice), tf.sum(tf.mul(iou, all)), mean(trueIou)]);
  });
  const [sum = 0, focal = 0, dice = 0, iou = 0, overlap = 0] = await terms.data<'float32'>();
  tf.dispose([target, trueIou, quality, share, all, value, terms]);
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

/** As many equal weights, with a sum of 1. */
function equal(count: number): number[] {
  return Array.from({ length: count }, () => 1 / count);
}
