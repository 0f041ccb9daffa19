import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import { runKernelOn, type WebgpuBackend } from './webgpu-backend.js';
import { sineProgram } from './webgpu-sine.js';
import { topKIndices, topKValues } from './webgpu-top-k.js';

interface KernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: WebgpuBackend;
}

type Kernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

/** Puts our own kernels in place of those of TensorFlow.js's WebGPU backend that fail or are not exact enough. */
export function repairWebgpuKernels(): void {
  replace('Select', flatSelect);
  replace('Transpose', wholeTranspose);
  replace('TopK', () => topK);
  replace(
    'Sin',
    () =>
      ({ inputs: { x }, backend }) =>
        sineProgram('sin', x as tf.TensorInfo, backend),
  );
  replace(
    'Cos',
    () =>
      ({ inputs: { x }, backend }) =>
        sineProgram('cos', x as tf.TensorInfo, backend),
  );
}

const repaired = Symbol('repaired');

function replace(kernelName: string, make: (stock: Kernel) => Kernel): void {
  const stock = tf.getKernel(kernelName, 'webgpu').kernelFunc as unknown as Kernel & { [repaired]?: true };
  if (stock[repaired] === true) return;
  const kernelFunc = Object.assign(make(stock), { [repaired]: true as const });
  tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc: kernelFunc as unknown as tf.KernelFunc });
}

/** The stock kernel knows shapes of up to four sides; of equal shapes it needs to know none. */
function flatSelect(stock: Kernel): Kernel {
  return (call) => {
    const { condition, t, e } = call.inputs as Readonly<Record<'condition' | 't' | 'e', tf.TensorInfo>>;
    if (condition.shape.length !== t.shape.length) return stock(call);
    const flat = ({ dataId, shape, dtype }: tf.TensorInfo) => ({ dataId, shape: [sizeOf(shape)], dtype });
    const chosen = stock({ ...call, inputs: { condition: flat(condition), t: flat(t), e: flat(e) } }) as tf.TensorInfo;
    return { ...chosen, shape: t.shape };
  };
}

/**
 * The stock kernel's program does not compile for whole numbers and truth values. As floats they are exact to 2^24, beyond which
 * no kernel of this backend goes.
 */
function wholeTranspose(stock: Kernel): Kernel {
  return (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    if (x.dtype === 'float32' || call.backend.shouldExecuteOnCPU([x])) return stock(call);
    const floats = runKernelOn(call.backend, 'Cast', { x }, { dtype: 'float32' });
    const moved = stock({ ...call, inputs: { x: floats } }) as tf.TensorInfo;
    const result = runKernelOn(call.backend, 'Cast', { x: moved }, { dtype: x.dtype });
    for (const { dataId } of [floats, moved]) call.backend.disposeData(dataId);
    return result;
  };
}

/** The stock kernel orders equal numbers at random and may point beyond the row where some are minus infinity. */
function topK({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const x = inputs['x'] as tf.TensorInfo;
  const indices = topKIndices(x, attrs['k'] as number, backend);
  return [topKValues(x, indices, backend), indices];
}
