import { hasNativeMlp, isTapeOn, largestTensorSize, nativeMlp, tf } from '../backend/index.js';
import type { ActivationName } from './activation.js';
import { activated, addLinear, type Linear } from './linear.js';

/** Two linear maps and what lies between, for {@link throughHidden}. */
export interface HiddenLayer {
  readonly expand: Linear;
  readonly activate: ActivationName;
  readonly contract: Linear;
  /** What happens to the hidden numbers. Default: nothing. */
  readonly drop?: (hidden: tf.Tensor) => tf.Tensor;
  /** [..., out] f32, what the result is added to, as where a block ends with a skip around it. Default: nothing. */
  readonly addTo?: tf.Tensor | undefined;
  /** How many hidden numbers there may be at once. Default: as many as the backend holds in a tensor. */
  readonly largest?: number;
}

/**
 * Two linear maps with an activation between, [..., in] to [..., out] f32. The hidden numbers are the most of a whole model: where
 * nothing records a gradient there is an operation that never has all of them, and where they are too many for one tensor, rows are
 * taken a block after the other. An adapter that changes something is run as it is.
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

/** Both maps in one operation; undefined where that cannot be. */
function atOnce(x: tf.Tensor, to: tf.Tensor | undefined, { expand, activate, contract, drop }: HiddenLayer) {
  const [first, second] = [expand.plain, contract.plain];
  if (drop !== undefined || first?.bias === undefined || second?.bias === undefined) return undefined;
  if (!hasNativeMlp() || isTapeOn()) return undefined;
  const [lead, out] = [x.shape.slice(0, -1), contract.outFeatures];
  // Where the weights are more than the hidden numbers, it is they that take the time, and they do so in either way.
  if (x.size / expand.inFeatures <= expand.inFeatures + out) return undefined;
  const inputs = {
    x: x.reshape([-1, expand.inFeatures]),
    expandWeight: first.weight.value,
    expandBias: first.bias.value,
    contractWeight: second.weight.value,
    contractBias: second.bias.value,
    added: to?.reshape([-1, out]),
  };
  return nativeMlp(inputs, activate).reshape([...lead, out]);
}
