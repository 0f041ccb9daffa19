import { tf } from '../tf.js';
import type { NativeBackend } from './native-backend.js';
import { unregisterNativeOperation } from './native-operation.js';

/** Names of the kernels and of their TensorFlow operations, see `native/deformable-attention.cc`. */
export const DEFORMABLE_FORWARD = 'SonogroundDeformableAttention';
export const DEFORMABLE_BACKWARD = 'SonogroundDeformableAttentionGrad';

/** Inputs of multi-scale deformable attention, all float32 except the shapes. */
export interface NativeDeformableAttentionInputs {
  /** [B, S, H, D] f32. */
  readonly value: tf.Tensor;
  /** [L, 2] i32: height and width of each level; their products sum to S. */
  readonly spatialShapes: tf.Tensor;
  /** [B, Q, H, L, P, 2] f32: x, y, where 0 and 1 are the outer edges of a map. */
  readonly locations: tf.Tensor;
  /** [B, Q, H, L, P] f32. */
  readonly weights: tf.Tensor;
}

/** Registers both kernels with the native backend. Their operations must be loaded. */
export function registerNativeDeformableAttention(): void {
  if (tf.getKernel(DEFORMABLE_FORWARD, 'tensorflow') !== undefined) return;
  const register = (
    kernelName: string,
    run: (backend: NativeBackend, inputs: tf.TensorInfo[]) => tf.TensorInfo | tf.TensorInfo[],
  ) =>
    tf.registerKernel({
      kernelName,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, backend }) => {
        const { value, spatialShapes, locations, weights, gradient } = inputs as Readonly<Record<string, tf.TensorInfo>>;
        const given = [value, spatialShapes, locations, weights, gradient].filter((input) => input !== undefined);
        return run(backend as unknown as NativeBackend, given);
      },
    });
  register(DEFORMABLE_FORWARD, (backend, inputs) => backend.executeSingleOutput(DEFORMABLE_FORWARD, [], inputs));
  register(DEFORMABLE_BACKWARD, (backend, inputs) => backend.executeMultipleOutputs(DEFORMABLE_BACKWARD, [], inputs, 3));
}

/** Unregisters the kernels if their operations turn out not to work on this machine. */
export function unregisterNativeDeformableAttention(): void {
  for (const name of [DEFORMABLE_FORWARD, DEFORMABLE_BACKWARD]) unregisterNativeOperation(name);
}

/** Whether the current backend has the kernels. */
export function hasNativeDeformableAttention(): boolean {
  return tf.getKernel(DEFORMABLE_FORWARD, tf.getBackend()) !== undefined;
}

/**
 * Runs the forward kernel; not differentiable.
 *
 * @returns [B, Q, H * D] f32.
 * @throws Error with TensorFlow's message if shapes do not match.
 * @see Zhu et al. 2021, Deformable DETR, equation 3
 */
export function nativeDeformableAttention(inputs: NativeDeformableAttentionInputs): tf.Tensor3D {
  return tf.engine().runKernel(DEFORMABLE_FORWARD, { ...inputs }) as tf.Tensor as tf.Tensor3D;
}

/**
 * Runs the backward kernel.
 *
 * @param gradient - [B, Q, H * D] f32, with respect to the forward kernel's output.
 * @returns the gradients with respect to value, locations and weights, in their shapes.
 * @throws Error with TensorFlow's message if shapes do not match.
 */
export function nativeDeformableAttentionGradients(
  inputs: NativeDeformableAttentionInputs,
  gradient: tf.Tensor,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  return tf.engine().runKernel(DEFORMABLE_BACKWARD, { ...inputs, gradient }) as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
}
