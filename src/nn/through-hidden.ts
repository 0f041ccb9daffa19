import { hasNativeMlp, isTapeOn, largestTensorSize, nativeMlp, tf } from '../backend/index.js';
import type { ActivationName } from './activation.js';
import { activated, addLinear, type Linear } from './linear.js';

/** An MLP of two linear layers, for {@link throughHidden}. */
export interface HiddenLayer {
  readonly expand: Linear;
  readonly activate: ActivationName;
  readonly contract: Linear;
  /** Applied to the hidden activations. Default: identity. */
  readonly drop?: (hidden: tf.Tensor) => tf.Tensor;
  /** [..., out] f32, residual added to the result. Default: none. */
  readonly addTo?: tf.Tensor | undefined;
  /** Maximum number of hidden activations at a time. Default: the size limit of the backend's tensors. */
  readonly largest?: number;
}

/**
 * An MLP: two linear layers with an activation in between, [..., in] to [..., out] f32. The hidden activations are the largest
 * tensors of a model: if no gradient is recorded, a fused operation never stores all of them, and if they exceed the size of a
 * tensor, rows are processed in blocks. An adapter that drops inputs runs unfused.
 */
export function throughHidden(x: tf.Tensor, layer: HiddenLayer): tf.Tensor {
  const { expand, activate, contract, drop, addTo, largest = largestTensorSize() } = layer;
  const pass = (rows: tf.Tensor, to: tf.Tensor | undefined) =>
    tf.tidy(() => {
      const whole = atOnce(rows, to, layer);
      if (whole !== undefined) return whole;
      const plain = activated(expand, activate, rows);
      const hidden = drop === undefined ? plain : drop(plain);
      return to === undefined ? contract.forward(hidden) : addLinear(to, contract, hidden);
    });
  const count = x.size / expand.inFeatures;
  const rows = Math.max(1, Math.floor(largest / expand.outFeatures));
  if (rows >= count) return pass(x, addTo);
  return tf.tidy(() => {
    const blockOf = (whole: tf.Tensor, i: number) => {
      const width = whole.shape.at(-1) ?? 1;
      return tf.slice(tf.reshape(whole, [count, width]), [i * rows, 0], [Math.min(rows, count - i * rows), width]);
    };
    const blocks = Array.from({ length: Math.ceil(count / rows) }, (_, i) => pass(blockOf(x, i), addTo && blockOf(addTo, i)));
    return tf.reshape(tf.concat(blocks, 0), [...x.shape.slice(0, -1), contract.outFeatures]);
  });
}

/** The fused operation; undefined if it is not applicable. */
function atOnce(x: tf.Tensor, to: tf.Tensor | undefined, { expand, activate, contract, drop }: HiddenLayer) {
  if (drop !== undefined || !hasNativeMlp() || isTapeOn() || expand.precision !== contract.precision) return undefined;
  const [lead, out] = [x.shape.slice(0, -1), contract.outFeatures];
  // If the weights are larger than the hidden activations, they dominate the time, and fusing gains nothing.
  if (x.size / expand.inFeatures <= expand.inFeatures + out) return undefined;
  const [first, second] = [expand.dense(), contract.dense()];
  if (first === undefined || second === undefined) return undefined;
  const inputs = {
    x: x.reshape([-1, expand.inFeatures]),
    expandWeight: first.weight,
    expandBias: first.bias,
    contractWeight: second.weight,
    contractBias: second.bias,
    added: to?.reshape([-1, out]),
  };
  return nativeMlp(inputs, activate).reshape([...lead, out]);
}
