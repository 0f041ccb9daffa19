import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import { flatProgram, runKernelOn, type WebgpuBackend, type WebgpuKernel, type WebgpuKernelCall } from './webgpu-backend.js';
import { cumulate } from './webgpu-cumulate.js';
import { rankRepairs } from './webgpu-ranks.js';
import { sineProgram } from './webgpu-sine.js';
import { topKIndices, topKValues } from './webgpu-top-k.js';

/** Replaces kernels of TensorFlow.js's WebGPU backend that fail or are too inexact. */
export function repairWebgpuKernels(): void {
  replace('Select', flatSelect);
  for (const [name, resultOf] of Object.entries(THROUGH_FLOATS)) replace(name, (stock) => throughFloats(stock, resultOf));
  for (const [name, make] of Object.entries(rankRepairs)) replace(name, make);
  replace('Cumsum', () => (call) => cumulate('sum', call));
  replace('Cumprod', () => (call) => cumulate('product', call));
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

function replace(kernelName: string, make: (stock: WebgpuKernel) => WebgpuKernel): void {
  const stock = tf.getKernel(kernelName, 'webgpu').kernelFunc as unknown as WebgpuKernel & { [repaired]?: true };
  if (stock[repaired] === true) return;
  const kernelFunc = Object.assign(make(stock), { [repaired]: true as const });
  tf.unregisterKernel(kernelName, 'webgpu');
  tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc: kernelFunc as unknown as tf.KernelFunc });
}

/** The stock kernel supports at most rank four; for equal shapes it needs no axes. */
function flatSelect(stock: WebgpuKernel): WebgpuKernel {
  return (call) => {
    const { condition, t, e } = call.inputs as Readonly<Record<'condition' | 't' | 'e', tf.TensorInfo>>;
    if (condition.shape.length !== t.shape.length) return stock(call);
    const flat = ({ dataId, shape, dtype }: tf.TensorInfo) => ({ dataId, shape: [sizeOf(shape)], dtype });
    const chosen = stock({ ...call, inputs: { condition: flat(condition), t: flat(t), e: flat(e) } }) as tf.TensorInfo;
    return { ...chosen, shape: t.shape };
  };
}

type ResultType = (dtype: tf.DataType) => tf.DataType;

const same: ResultType = (dtype) => dtype;
const counted: ResultType = (dtype) => (dtype === 'bool' ? 'int32' : dtype);
const always =
  (dtype: tf.DataType): ResultType =>
  () =>
    dtype;

/**
 * Kernels that transpose, directly or indirectly, with the output type for an input type. The package's transpose program does
 * not compile for integers and booleans.
 */
const THROUGH_FLOATS: Readonly<Record<string, ResultType>> = {
  Transpose: same,
  Max: same,
  Min: same,
  Prod: counted,
  Sum: counted,
  UnsortedSegmentSum: same,
  Mean: always('float32'),
  All: always('bool'),
  Any: always('bool'),
  ArgMax: always('int32'),
  ArgMin: always('int32'),
};

/** Computes in float32, which is exact for integers up to 2^24; beyond that no kernel of this backend is exact. */
function throughFloats(stock: WebgpuKernel, resultOf: ResultType): WebgpuKernel {
  return (call) => {
    const { x } = call.inputs as { readonly x: tf.TensorInfo };
    const { backend } = call;
    // A float tensor cast from integers still shares their buffer.
    if (backend.tensorMap.get(x.dataId).dtype === 'float32') return stock(call);
    const floats = toFloats(x, backend);
    const result = stock({ ...call, inputs: { ...call.inputs, x: floats } }) as tf.TensorInfo;
    backend.disposeData(floats.dataId);
    const dtype = resultOf(x.dtype);
    if (result.dtype === dtype) return result;
    const whole = runKernelOn(backend, 'Cast', { x: result }, { dtype });
    backend.disposeData(result.dataId);
    return whole;
  };
}

/** A float copy. The package's cast would keep the integer buffer and only relabel it. */
function toFloats({ dataId, shape, dtype }: tf.TensorInfo, backend: WebgpuBackend): tf.TensorInfo {
  const size = sizeOf(shape);
  const program = {
    ...flatProgram('sonogroundToFloats', [size], size),
    variableNames: ['x'],
    uniforms: '',
    size: true,
    getUserCode: () => 'fn main(index : i32) { if (index < uniforms.size) { setOutputAtIndex(index, f32(x[index])); } }',
  };
  return { ...backend.runWebGPUProgram(program, [{ dataId, shape: [size], dtype }], 'float32', []), shape };
}

/** The stock kernel orders equal values at random and may return indices beyond the row if some values are minus infinity. */
function topK({ inputs, attrs, backend }: WebgpuKernelCall): tf.TensorInfo[] {
  const x = inputs['x'] as tf.TensorInfo;
  const indices = topKIndices(x, attrs['k'] as number, backend);
  return [topKValues(x, indices, backend), indices];
}
