import { hasNativeAttention, isTapeOn, nativeAttention, type Precision, tf } from '../backend/index.js';

/** Groups of rows that attend to each other: windows of maps, or whole maps. */
interface TokenGroups {
  readonly count: number;
  /** [count * N]: rows of each group's tokens, negative for padding. Absent: all rows, in order. */
  readonly rows?: Int32Array | undefined;
}

export interface GroupAttentionArgs {
  /** [..., columns] f32: one row per token. Head h starts at its offset + h * depth. */
  readonly query: tf.Tensor;
  /** [..., columns] f32. */
  readonly key: tf.Tensor;
  /** [..., columns] f32. */
  readonly value: tf.Tensor;
  readonly heads: number;
  readonly depth: number;
  /** Of a head's values. Default: `depth`. */
  readonly valueDepth?: number | undefined;
  /** First columns of query, key and value. Default: 0; other values if several are columns of one matrix. */
  readonly offsets?: readonly [number, number, number];
  /** Default: 1 / sqrt(depth). */
  readonly scale?: number;
  readonly queryGroups: TokenGroups;
  /** As many groups as for the queries. */
  readonly keyGroups: TokenGroups;
  /** Key and value of padding, [heads * depth] f32 each, if both are as wide. Default: zeros. */
  readonly padding?: readonly [tf.Tensor, tf.Tensor] | undefined;
  /** [1 or heads, N, M] f32, added to the scores. */
  readonly bias?: tf.Tensor3D | undefined;
  /** [K, N, M] f32, of which g % K is added to the scores of group g. */
  readonly mask?: tf.Tensor3D | undefined;
  /** Of the factors of both products: that of the projections. Default: `float32`. */
  readonly precision?: Precision | undefined;
}

/** Whether {@link groupAttention} can be used: it is not differentiable. */
export function hasGroupAttention(): boolean {
  return hasNativeAttention() && !isTapeOn();
}

/**
 * softmax(scale Q Kᵀ + bias + mask) V in each group, by a custom TensorFlow operation: tokens are read and written in place, and
 * only a few scores exist at a time. See {@link hasGroupAttention}.
 *
 * @returns [query rows, heads * valueDepth] f32.
 */
export function groupAttention(args: GroupAttentionArgs): tf.Tensor2D {
  const {
    query,
    key,
    value,
    heads,
    depth,
    valueDepth,
    offsets = [0, 0, 0],
    scale = 1 / Math.sqrt(depth),
    padding,
    bias,
    mask,
    precision,
  } = args;
  return tf.tidy(() => {
    const matrix = (x: tf.Tensor) => x.reshape([-1, x.shape.at(-1) ?? 0]);
    const none = tf.zeros([0]);
    const inputs = {
      query: matrix(query),
      key: matrix(key),
      value: matrix(value),
      queryRows: rowsOf(args.queryGroups),
      keyRows: rowsOf(args.keyGroups),
      padding: padding === undefined ? none : tf.stack([...padding]),
      bias: bias ?? none,
      mask: mask ?? none,
    };
    return nativeAttention(inputs, { heads, depth, valueDepth, scale, offsets, precision });
  });
}

function rowsOf({ count, rows }: TokenGroups): tf.Tensor2D {
  return tf.tensor2d(rows ?? new Int32Array(0), [count, (rows?.length ?? 0) / count], 'int32');
}
