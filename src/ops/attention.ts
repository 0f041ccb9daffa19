import { largestTensorSize, type Precision, tf } from '../backend/index.js';
import { groupAttention, hasGroupAttention } from './group-attention.js';

/** [B, N, heads * d] to [B, heads, N, d]. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor4D {
  const [b = 0, n = 0, c = 0] = x.shape;
  return tf.transpose(tf.reshape(x, [b, n, heads, c / heads]), [0, 2, 1, 3]);
}

/** [B, heads, N, d] to [B, N, heads * d]. */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [b, heads, n, d] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [b, n, heads * d]);
}

export interface AttentionArgs {
  /** [B, H, N, d] f32. */
  readonly query: tf.Tensor4D;
  /** [B, H, M, d] f32. */
  readonly key: tf.Tensor4D;
  /** [B, H, M, dv] f32. */
  readonly value: tf.Tensor4D;
  /** Added to the scores; broadcasts to [B, H, N, M]. */
  readonly bias?: tf.Tensor | undefined;
  /** Default: 1 / sqrt(d). */
  readonly scale?: number;
  /** Maximum number of scores at a time. Default: the size limit of the backend's tensors. */
  readonly largestScores?: number;
}

/**
 * softmax(scale Q Kᵀ + bias) V; processes queries in blocks if there would be too many scores at once.
 *
 * @returns [B, H, N, dv] f32.
 * @see Vaswani et al. 2017, section 3.2.1
 */
export function scaledDotProductAttention(args: AttentionArgs): tf.Tensor4D {
  const { query, key, bias, largestScores = largestTensorSize() } = args;
  const [b, heads, n, d] = query.shape;
  const rows = Math.max(1, Math.floor(largestScores / (b * heads * key.shape[2])));
  if (rows >= n) return attendAtOnce(args);
  const blocks = Array.from({ length: Math.ceil(n / rows) }, (_, i) => {
    const [from, count] = [i * rows, Math.min(rows, n - i * rows)];
    return tf.tidy(() =>
      attendAtOnce({
        ...args,
        query: tf.slice(query, [0, 0, from, 0], [b, heads, count, d]),
        bias: bias && rowsOf(bias, n, from, count),
      }),
    );
  });
  return tf.concat(blocks, 2);
}

function attendAtOnce({ query, key, value, bias, scale }: AttentionArgs): tf.Tensor4D {
  const d = query.shape[3];
  const scores = tf.matMul(tf.mul(query, scale ?? 1 / Math.sqrt(d)), key, false, true);
  return tf.matMul(tf.softmax(bias === undefined ? scores : tf.add(scores, bias)), value);
}

/** The slice of a bias for `count` of the `n` queries; the whole bias if it is broadcast over queries. */
function rowsOf(bias: tf.Tensor, n: number, from: number, count: number): tf.Tensor {
  const axis = bias.rank - 2;
  if (axis < 0 || bias.shape[axis] !== n) return bias;
  const at = (value: number) => bias.shape.map((_, i) => (i === axis ? value : 0));
  return tf.slice(
    bias,
    at(from),
    bias.shape.map((side, i) => (i === axis ? count : side)),
  );
}

export interface TokenAttentionArgs {
  /** [B, N, C] f32. */
  readonly query: tf.Tensor;
  /** [B, M, C] f32. */
  readonly key: tf.Tensor;
  /** [B, M, V] f32. */
  readonly value: tf.Tensor;
  readonly heads: number;
  /** Of the factors of both products, where the backend has a fused operation. Default: `float32`. */
  readonly precision?: Precision | undefined;
}

/**
 * Multi-head softmax(Q Kᵀ / sqrt(d)) V of tokens whose channels are the concatenated heads.
 *
 * @returns [B, N, V] f32.
 */
export function attend({ query, key, value, heads, precision }: TokenAttentionArgs): tf.Tensor3D {
  const [b = 0, n = 0, c = 0] = query.shape;
  if (hasGroupAttention()) {
    const groups = { count: b };
    const values = value.shape.at(-1) ?? c;
    const sizes = { heads, depth: c / heads, valueDepth: values / heads, queryGroups: groups, keyGroups: groups };
    const mixed = groupAttention({ query, key, value, ...sizes, precision });
    return mixed.reshape([b, n, values]);
  }
  const split = (x: tf.Tensor) => splitHeads(x, heads);
  return mergeHeads(scaledDotProductAttention({ query: split(query), key: split(key), value: split(value) }));
}
