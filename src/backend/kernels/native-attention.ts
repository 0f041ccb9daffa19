import type { Precision } from '../precision.js';
import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundAttention';

/** Inputs of {@link nativeAttention}; an empty tensor stands for an absent one. All float32 except the rows. */
export interface NativeAttentionInputs {
  /** [R, columns]: head h of a row starts at column offset + h * d. */
  readonly query: tf.Tensor;
  /** [S, columns]. */
  readonly key: tf.Tensor;
  /** [S, columns]: head h of a row starts at column offset + h * valueDepth. */
  readonly value: tf.Tensor;
  /** [G, N] i32: query rows of each group, each row once; negative: skipped. [G, 0]: R / G consecutive rows per group. */
  readonly queryRows: tf.Tensor;
  /** [G, M] i32: key rows of each group; negative: padding. [G, 0]: S / G consecutive rows per group. */
  readonly keyRows: tf.Tensor;
  /** [2, heads * d]: key and value of padding, if both are as wide. [0]: zeros. */
  readonly padding: tf.Tensor;
  /** [1 or heads, N, M], added to the scores. [0]: none. */
  readonly bias: tf.Tensor;
  /** [K, N, M], of which g % K is added to the scores of group g. [0]: none. */
  readonly mask: tf.Tensor;
}

/** Parameters for {@link NativeAttentionInputs}. */
export interface NativeAttentionSizes {
  readonly heads: number;
  /** Channels per head. */
  readonly depth: number;
  /** Channels per head of the values. Default: `depth`. */
  readonly valueDepth?: number | undefined;
  /** Multiplies the scores. */
  readonly scale: number;
  /** First columns of query, key and value, which may be columns of one matrix. */
  readonly offsets: readonly [query: number, key: number, value: number];
  /** Of the factors of both products. Default: `float32`. */
  readonly precision?: Precision | undefined;
}

/** Registers grouped attention with the native backend, see `native/attention.cc`. */
export function registerNativeAttention(): void {
  registerNativeOperation({
    name: KERNEL,
    inputs: ['query', 'key', 'value', 'queryRows', 'keyRows', 'padding', 'bias', 'mask'],
    outputs: 1,
    attributes: {
      heads: 'int',
      depth: 'int',
      value_depth: 'int',
      query_offset: 'int',
      key_offset: 'int',
      value_offset: 'int',
      scale: 'float',
      precision: 'string',
    },
  });
}

/** Whether the current backend has the kernel. */
export function hasNativeAttention(): boolean {
  return hasOperation(KERNEL);
}

/**
 * softmax(scale Q Kᵀ + bias + mask) V in each group, without materialising all scores. Not differentiable.
 *
 * @returns [R, heads * valueDepth] f32.
 * @throws Error with TensorFlow's message if shapes do not match, or a row is out of range, missing or repeated.
 */
export function nativeAttention(
  inputs: NativeAttentionInputs,
  { heads, depth, valueDepth = depth, scale, offsets, precision = 'float32' }: NativeAttentionSizes,
): tf.Tensor2D {
  const [query_offset, key_offset, value_offset] = offsets;
  const attributes = { heads, depth, value_depth: valueDepth, scale, query_offset, key_offset, value_offset, precision };
  return tf.engine().runKernel(KERNEL, { ...inputs }, attributes) as tf.Tensor as tf.Tensor2D;
}
