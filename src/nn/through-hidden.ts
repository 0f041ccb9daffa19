import { largestTensorBytes, tf } from '../backend/index.js';
import type { ActivationName } from './activation.js';
import { activated, type Linear } from './linear.js';

export interface HiddenLayer {
  readonly expand: Linear;
  readonly activate: ActivationName;
  readonly contract: Linear;
  /** What happens to the hidden numbers. Default: nothing. */
  readonly drop?: (hidden: tf.Tensor) => tf.Tensor;
  /** How many hidden numbers there may be at once. Default: as many as the backend holds in a tensor. */
  readonly largest?: number;
}

/**
 * Two linear maps with an activation between, [..., in] to [..., out] f32. The hidden numbers are the most of a whole model: where
 * they are too many for one tensor, rows are taken a block after the other.
 */
export function throughHidden(x: tf.Tensor, { expand, activate, contract, drop, largest }: HiddenLayer): tf.Tensor {
  const pass = (rows: tf.Tensor) =>
    tf.tidy(() => {
      const hidden = activated(expand, activate, rows);
      return contract.forward(drop === undefined ? hidden : drop(hidden));
    });
  const width = x.shape.at(-1) ?? 1;
  const count = x.size / width;
  const rows = Math.max(1, Math.floor((largest ?? largestTensorBytes() / FLOAT_BYTES) / expand.outFeatures));
  if (rows >= count) return pass(x);
  return tf.tidy(() => {
    const flat = tf.reshape(x, [count, width]);
    const blocks = Array.from({ length: Math.ceil(count / rows) }, (_, i) =>
      pass(tf.slice(flat, [i * rows, 0], [Math.min(rows, count - i * rows), width])),
    );
    return tf.reshape(tf.concat(blocks, 0), [...x.shape.slice(0, -1), contract.outFeatures]);
  });
}

const FLOAT_BYTES = 4;
