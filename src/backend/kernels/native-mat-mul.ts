import { tf } from '../tf.js';
import type { NativeBackend } from './native-backend.js';
import { hasNativeLinear, nativeLinear } from './native-linear.js';

interface MatMulArgs {
  readonly inputs: { readonly a: tf.Tensor; readonly b: tf.Tensor };
  readonly attrs: { readonly transposeA: boolean; readonly transposeB: boolean };
  readonly backend: NativeBackend;
}

const KERNEL = 'BatchMatMul';
const BACKEND = 'tensorflow';

/**
 * Runs products of two matrices by other operations than the batched product of the native backend, which takes 70 to 100 µs more
 * per call, with several hundred calls per training step: those of linear maps (`transposeB`) by this project's kernel, where it is
 * available, all others by TensorFlow's `MatMul`.
 *
 * The rows of a linear map do not depend on the number of rows, those of `MatMul` do in their last digits. A batch that several
 * processes share has the same activations in each of them as in one.
 */
export function registerNativeMatMul(): void {
  const stock = tf.getKernel(KERNEL, BACKEND);
  tf.unregisterKernel(KERNEL, BACKEND);
  tf.registerKernel({
    ...stock,
    kernelFunc: (params) => {
      const { inputs, attrs, backend } = params as unknown as MatMulArgs;
      const { a, b } = inputs;
      const matrices = a.shape.length === 2 && b.shape.length === 2 && a.dtype === 'float32' && b.dtype === 'float32';
      if (!matrices) return stock.kernelFunc(params);
      if (attrs.transposeB && !attrs.transposeA && hasNativeLinear()) return asLinearMap(a, b);
      const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
      const attributes = [
        { name: 'transpose_a', type: TF_ATTR_BOOL, value: attrs.transposeA },
        { name: 'transpose_b', type: TF_ATTR_BOOL, value: attrs.transposeB },
        { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
      ];
      return backend.executeSingleOutput('MatMul', attributes, [a, b]);
    },
  });
}

/** x Wᵀ for x [rows, in], W [out, in]. */
function asLinearMap(x: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.tidy(() => nativeLinear({ x, weight, bias: tf.zeros([weight.shape[0] as number]) }));
}
