import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundAttention';

/** Inputs of {@link nativeAttention}; an empty tensor stands for one that is absent. All float32 but for the rows. */
export interface NativeAttentionInputs {
  /** [R, columns]: head h of a row begins at column offset + h * d. */
  readonly query: tf.Tensor;
  /** [S, columns]. */
  readonly key: tf.Tensor;
  /** [S, columns]. */
  readonly value: tf.Tensor;
  /** [G, N] i32: rows of the queries of each group, each row once; negative: left out. [G, 0]: R / G rows, one after the other. */
  readonly queryRows: tf.Tensor;
  /** [G, M] i32: rows of the keys of each group; negative: padding. [G, 0]: S / G rows, one after the other. */
  readonly keyRows: tf.Tensor;
  /** [2, heads * d]: key and value of padding. [0]: zeros. */
  readonly padding: tf.Tensor;
  /** [1 or heads, N, M], added to the scores. [0]: nothing. */
  readonly bias: tf.Tensor;
  /** [K, N, M], added to the scores of group g from g % K. [0]: nothing. */
  readonly mask: tf.Tensor;
}

/** Numbers that go with {@link NativeAttentionInputs}. */
export interface NativeAttentionSizes {
  readonly heads: number;
  /** Numbers of one head of one token. */
  readonly depth: number;
  /** Multiplies the scores. */
  readonly scale: number;
  /** First columns of query, key and value, which may lie side by side in one matrix. */
  readonly offsets: readonly [query: number, key: number, value: number];
}

/** Gives the native backend attention among groups of rows, see `native/attention.cc`. */
export function registerNativeAttention(): void {
  registerNativeOperation({
    name: KERNEL,
    inputs: ['query', 'key', 'value', 'queryRows', 'keyRows', 'padding', 'bias', 'mask'],
    outputs: 1,
    attributes: { heads: 'int', depth: 'int', query_offset: 'int', key_offset: 'int', value_offset: 'int', scale: 'float' },
  });
}

/** Whether the current backend has the kernel. */
export function hasNativeAttention(): boolean {
  return hasOperation(KERNEL);
}

/**
 * softmax(scale Q Kᵀ + bias + mask) V in each group, without a matrix of all scores. Nothing is recorded for a gradient.
 *
 * @returns [R, heads * d] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other, or a row is none, missing or there twice.
 */
export function nativeAttention(
  inputs: NativeAttentionInputs,
  { heads, depth, scale, offsets }: NativeAttentionSizes,
): tf.Tensor2D {
  const [query_offset, key_offset, value_offset] = offsets;
  const attributes = { heads, depth, scale, query_offset, key_offset, value_offset };
  return tf.engine().runKernel(KERNEL, { ...inputs }, attributes) as tf.Tensor as tf.Tensor2D;
}
