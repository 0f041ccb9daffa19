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
  registerNativeOperation({
    name: KERNEL,
    inputs: ['x', 'weight', 'bias', 'added'],
    outputs: 1,
    attributes: { activation: 'string' },
  });
  const backend = tf.engine().findBackend('tensorflow') as unknown as {
    binding: { TF_ATTR_STRING: number };
    executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly tf.TensorInfo[]): tf.TensorInfo;
    write(values: Float32Array, shape: number[], dtype: 'float32'): tf.DataId;
    disposeData(dataId: tf.DataId): boolean;
  };
  const ones = (shape: number[], count = 1): tf.TensorInfo => ({
    dataId: backend.write(new Float32Array(count).fill(1), shape, 'float32'),
    shape,
    dtype: 'float32',
  });
  const tensors = [ones([1, 1]), ones([1, 1]), ones([1]), ones([0], 0)];
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

/** Inputs of {@link nativeLinear}, all f32. */
export interface NativeLinearInputs {
  /** [rows, in]. */
  readonly x: tf.Tensor;
  /** [out, in]. */
  readonly weight: tf.Tensor;
  /** [out]. */
  readonly bias: tf.Tensor;
  /** [rows, out], added after the activation. Default: nothing. */
  readonly added?: tf.Tensor | undefined;
}

/**
 * activation(x Wᵀ + b) + added; nothing is recorded for a gradient.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other.
 */
export function nativeLinear({ added, ...inputs }: NativeLinearInputs, activation: FusedActivation = 'none'): tf.Tensor2D {
  const attributes = { activation: ACTIVATIONS[activation] };
  return tf.tidy(
    () => tf.engine().runKernel(KERNEL, { ...inputs, added: added ?? tf.tensor1d([]) }, attributes) as tf.Tensor as tf.Tensor2D,
  );
}
