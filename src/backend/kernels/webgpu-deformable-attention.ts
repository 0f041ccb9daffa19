import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import {
  type DeformableSizes,
  forwardSource,
  type Lanes,
  pointGradientSource,
  UNIFORMS,
  valueGradientSource,
} from './deformable-wgsl.js';
import { DEFORMABLE_BACKWARD, DEFORMABLE_FORWARD } from './native-deformable-attention.js';
import { flatProgram, runKernelOn, type WebgpuBackend, type WebgpuProgram } from './webgpu-backend.js';

type Inputs = Readonly<Record<'value' | 'spatialShapes' | 'locations' | 'weights' | 'gradient', tf.TensorInfo>>;

/** Registers the same two kernels with WebGPU as with the native backend, see {@link file://./native-deformable-attention.ts}. */
export function registerWebgpuDeformableAttention(): void {
  if (tf.getKernel(DEFORMABLE_FORWARD, 'webgpu') !== undefined) return;
  const register = (kernelName: string, run: (backend: WebgpuBackend, inputs: Inputs) => tf.TensorInfo | tf.TensorInfo[]) =>
    tf.registerKernel({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs, backend }) => run(backend as unknown as WebgpuBackend, inputs as unknown as Inputs),
    });
  register(DEFORMABLE_FORWARD, forward);
  register(DEFORMABLE_BACKWARD, backward);
}

function forward(backend: WebgpuBackend, inputs: Inputs): tf.TensorInfo {
  const sizes = sizesOf(inputs);
  const lanes = lanesOf(sizes);
  const [batch] = inputs.value.shape;
  const shape = [batch as number, sizes.queries, sizes.heads * sizes.depth];
  const program: WebgpuProgram = {
    ...flatProgram(`sonogroundDeformableForward${lanes}`, shape, sizeOf(shape) / lanes),
    uniforms: UNIFORMS,
    variableNames: ['value', 'spatialShapes', 'locations', 'weights'],
    variableComponents: [lanes, 1, 1, 1],
    outputComponent: lanes,
    size: true,
    getUserCode: () => forwardSource(lanes),
  };
  return backend.runWebGPUProgram(program, flattened(inputs), 'float32', uniformsOf(sizes));
}

function backward(backend: WebgpuBackend, inputs: Inputs): tf.TensorInfo[] {
  const sizes = sizesOf(inputs);
  return [valueGradient(backend, inputs, sizes), ...pointGradients(backend, inputs, sizes)];
}

function valueGradient(backend: WebgpuBackend, inputs: Inputs, sizes: DeformableSizes): tf.TensorInfo {
  const { shape } = inputs.value;
  const zeros = runKernelOn(backend, 'Fill', {}, { shape, value: 0, dtype: 'float32' });
  if (sizeOf(shape) === 0 || sizes.samples === 0) return zeros;
  const program: WebgpuProgram = {
    ...flatProgram('sonogroundDeformableValueGradient', shape, sizeOf(inputs.gradient.shape)),
    uniforms: UNIFORMS,
    variableNames: ['spatialShapes', 'locations', 'weights', 'gradient'],
    atomic: true,
    getUserCode: valueGradientSource,
  };
  const [, ...rest] = flattened(inputs);
  return backend.runWebGPUProgram(program, rest, 'float32', uniformsOf(sizes), zeros);
}

/** Gradients with respect to locations and weights. One program computes both; its result is split. */
function pointGradients(backend: WebgpuBackend, inputs: Inputs, sizes: DeformableSizes): [tf.TensorInfo, tf.TensorInfo] {
  const lanes = lanesOf(sizes);
  const { samples } = sizes;
  const program: WebgpuProgram = {
    ...flatProgram(`sonogroundDeformablePointGradients${lanes}`, [3 * samples], samples),
    uniforms: UNIFORMS,
    variableNames: ['value', 'spatialShapes', 'locations', 'weights', 'gradient'],
    variableComponents: [lanes, 1, 1, 1, lanes],
    getUserCode: () => pointGradientSource(lanes),
  };
  const both = backend.runWebGPUProgram(program, flattened(inputs), 'float32', uniformsOf(sizes));
  const part = (begin: number, size: number, { shape }: tf.TensorInfo) => ({
    ...runKernelOn(backend, 'Slice', { x: both }, { begin: [begin], size: [size] }),
    shape,
  });
  const parts = [part(0, 2 * samples, inputs.locations), part(2 * samples, samples, inputs.weights)] as const;
  backend.disposeData(both.dataId);
  return [...parts];
}

/** The inputs flattened: the programs do their own indexing. */
function flattened(inputs: Inputs): tf.TensorInfo[] {
  return [inputs.value, inputs.spatialShapes, inputs.locations, inputs.weights, inputs.gradient]
    .filter((input) => input !== undefined)
    .map(({ dataId, shape, dtype }) => ({ dataId, shape: [sizeOf(shape)], dtype }));
}

function uniformsOf({ cells, queries, heads, depth, levels, points, samples }: DeformableSizes) {
  const whole = [cells, queries, heads, depth, levels, points, samples].map((number) => ({ type: 'int32', data: [number] }));
  return [...whole, { type: 'uint32', data: [0] }];
}

const lanesOf = ({ depth }: DeformableSizes): Lanes => (depth % 4 === 0 ? 4 : 1);

/** The sizes of a call, after checking the programs' assumptions. */
function sizesOf({ value, spatialShapes, locations, weights, gradient }: Inputs): DeformableSizes {
  const [batch = 0, cells = 0, heads = 0, depth = 0] = value.shape;
  const [levels = 0] = spatialShapes.shape;
  const [, queries = 0, , , points = 0] = locations.shape;
  expectShape('value', value, [batch, cells, heads, depth]);
  expectShape('spatial_shapes', spatialShapes, [levels, 2]);
  expectShape('locations', locations, [batch, queries, heads, levels, points, 2]);
  expectShape('weights', weights, [batch, queries, heads, levels, points]);
  if (gradient !== undefined) expectShape('sum_gradient', gradient, [batch, queries, heads * depth]);
  return { cells, queries, heads, depth, levels, points, samples: sizeOf(weights.shape) };
}

function expectShape(name: string, { shape }: tf.TensorInfo, expected: readonly number[]): void {
  if (shape.length === expected.length && expected.every((side, i) => side === shape[i])) return;
  throw new RangeError(`deformable attention: expected ${name} of shape [${expected}], got [${shape}]`);
}
