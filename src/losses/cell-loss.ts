import { tf } from '../backend/index.js';
import { type CellOutputs, cellTargets } from './cell-targets.js';
import { type FocalOptions, qualityFocalLoss } from './focal.js';
import { type DetectionTarget, objectsIn } from './target.js';

interface CellLossOptions extends FocalOptions {
  readonly weight: number;
  /** Whether to compute the gradient. */
  readonly gradients: boolean;
}

/**
 * Weighted class loss of all cells: the mean over cells, divided by the number of objects.
 *
 * @param textMask - [B, T] i32, 1 for tokens, 0 for padding.
 * @returns the loss, a scalar, and its gradient with respect to the logits. Both belong to the caller.
 */
export function cellLoss(
  cells: CellOutputs,
  textMask: tf.Tensor2D,
  targets: readonly DetectionTarget[],
  { weight, gradients, ...focal }: CellLossOptions,
): { readonly value: tf.Tensor; readonly grad: tf.Tensor | undefined } {
  const { logits } = cells;
  return tf.tidy(() => {
    const wanted: tf.Tensor = cellTargets(cells, targets);
    const counted = tf.expandDims(tf.cast(textMask, 'float32'), 1); // [B, 1, T]
    const scale = weight / (objectsIn(targets) * logits.shape[1]);
    const loss = (x: tf.Tensor) => tf.mul(tf.sum(tf.mul(qualityFocalLoss(x, wanted, focal), counted)), scale);
    return gradients ? tf.valueAndGrad(loss)(logits) : { value: loss(logits), grad: undefined };
  });
}
