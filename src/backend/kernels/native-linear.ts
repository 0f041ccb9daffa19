import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation, unregisterNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundLinear';

/** What may follow a linear map in the same operation. */
export type FusedActivation = 'none' | 'relu' | 'gelu';

/** Names of TensorFlow's fused activations. */
const ACTIVATIONS: Readonly<Record<FusedActivation, string>> = { none: '', relu: 'Relu', gelu: 'GeluExact' };

/**
 * Gives the native backend linear maps with bias and activation in one operation, see `native/linear.cc`. TensorFlow has the
 * kernel behind it only where it was built with oneDNN: it is tried once.
 *
 * @returns whether it is there.
 */
export function registerNativeLinear(): boolean {
  registerNativeOperation({ name: KERNEL, inputs: ['x', 'weight', 'bias'], outputs: 1, attributes: { activation: 'string' } });
  const backend = tf.engine().findBackend('tensorflow') as unknown as {
    binding: { TF_ATTR_STRING: number };
    executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly tf.TensorInfo[]): tf.TensorInfo;
    write(values: Float32Array, shape: number[], dtype: 'float32'): tf.DataId;
    disposeData(dataId: tf.DataId): boolean;
  };
  const one = (shape: number[]): tf.TensorInfo => ({
    dataId: backend.write(new Float32Array([1]), shape, 'float32'),
    shape,
    dtype: 'float32',
  });
  const tensors = [one([1, 1]), one([1, 1]), one([1])];
  try {
    const attributes = [{ name: 'activation', type: backend.binding.TF_ATTR_STRING, value: ACTIVATIONS.gelu }];
    tensors.push(backend.executeSingleOutput(KERNEL, attributes, tensors));
    return true;
  } catch {
    unregisterNativeOperation(KERNEL);
    return false;
  } finally {
    for (const { dataId } of tensors) backend.disposeData(dataId);
  }
}

/** Whether the current backend has the kernel. */
export function hasNativeLinear(): boolean {
  return hasOperation(KERNEL);
}

/**
 * activation(x Wᵀ + b); nothing is recorded for a gradient.
 *
 * @param x - [rows, in] f32; weight [out, in], bias [out] f32.
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other.
 */
export function nativeLinear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, activation: FusedActivation): tf.Tensor2D {
  const attributes = { activation: ACTIVATIONS[activation] };
  return tf.engine().runKernel(KERNEL, { x, weight, bias }, attributes) as tf.Tensor as tf.Tensor2D;
}
