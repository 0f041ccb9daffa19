import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundMapAttention';

/** Inputs of {@link nativeMapAttention}, all float32. */
export interface NativeMapAttentionInputs {
  /** [groups * N, depth]. */
  readonly query: tf.Tensor;
  /** [groups * K, channels]: of each group the cells of `maps` maps, one map after the other, then tokens that are not turned. */
  readonly tokens: tf.Tensor;
  /** [groups * K, value depth]. */
  readonly values: tf.Tensor;
  /** [depth, channels]: makes keys of tokens. */
  readonly weight: tf.Tensor;
  /** [depth]. */
  readonly bias: tf.Tensor;
  /** [height * width, depth / 2]: by how much pairs of a key's channels are turned, the first half by the column, the second by the row. */
  readonly cos: tf.Tensor;
  /** [height * width, depth / 2]. */
  readonly sin: tf.Tensor;
}

/** Parameters for {@link NativeMapAttentionInputs}. */
export interface NativeMapAttentionSizes {
  readonly groups: number;
  /** Of a map, in cells. */
  readonly height: number;
  readonly width: number;
  readonly maps: number;
  /** Multiplies the scores. */
  readonly scale: number;
}

/** Registers attention to maps with the native backend, see `native/map-attention.cc`. */
export function registerNativeMapAttention(): void {
  registerNativeOperation({
    name: KERNEL,
    inputs: ['query', 'tokens', 'values', 'weight', 'bias', 'cos', 'sin'],
    outputs: 1,
    attributes: { groups: 'int', height: 'int', width: 'int', maps: 'int', scale: 'float' },
  });
}

/** Whether the current backend has the kernel. */
export function hasNativeMapAttention(): boolean {
  return hasOperation(KERNEL);
}

/**
 * softmax(scale Q Kᵀ) V in each group, where K are projected tokens, turned by their cells. Not differentiable.
 *
 * @returns [groups * N, value depth] f32.
 * @throws Error with TensorFlow's message if shapes do not match.
 */
export function nativeMapAttention(inputs: NativeMapAttentionInputs, sizes: NativeMapAttentionSizes): tf.Tensor2D {
  return tf.engine().runKernel(KERNEL, { ...inputs }, { ...sizes }) as tf.Tensor as tf.Tensor2D;
}
