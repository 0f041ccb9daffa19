import { tf } from '../tf.js';

/** A program for the GPU, as TensorFlow.js's WebGPU backend takes it. */
export interface WebgpuProgram {
  readonly variableNames: string[];
  /** How many numbers one element of each input holds. */
  readonly variableComponents?: number[];
  readonly outputShape: number[];
  readonly outputComponent?: number;
  /** Same key, same source, for the same ranks and types. */
  shaderKey: string;
  readonly dispatchLayout: { x: number[] };
  dispatch: [number, number, number];
  readonly workgroupSize: [number, number, number];
  /** Members of the uniforms, beyond the shapes. */
  readonly uniforms: string;
  /** Whether the source wants to know the size of the output. */
  readonly size?: boolean;
  /** Whether the output is one of `atomic<i32>`. */
  readonly atomic?: boolean;
  getUserCode(): string;
}

/** What the kernels written here need of the WebGPU backend. */
export interface WebgpuBackend {
  runWebGPUProgram(
    program: WebgpuProgram,
    inputs: readonly tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms: readonly { type: string; data: number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
  disposeData(dataId: tf.DataId): boolean;
  /** What the buffers hold, whatever a tensor is called that shares one. */
  readonly tensorMap: { get(dataId: tf.DataId): { readonly dtype: tf.DataType } };
}

/** One call of a kernel. */
export interface WebgpuKernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: WebgpuBackend;
}

export type WebgpuKernel = (call: WebgpuKernelCall) => tf.TensorInfo | tf.TensorInfo[];

/** Runs a kernel of the backend by name; the engine does not hear of it. */
export function runKernelOn(
  backend: WebgpuBackend,
  kernelName: string,
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  attrs: Readonly<Record<string, unknown>>,
): tf.TensorInfo {
  const { kernelFunc } = tf.getKernel(kernelName, 'webgpu');
  return kernelFunc({ inputs: { ...inputs }, attrs: { ...attrs } as unknown as tf.NamedAttrMap, backend }) as tf.TensorInfo;
}

/** Threads of a group in the programs written here. */
const GROUP = 64;

/** What a program has that runs so many threads in a row. */
export function flatProgram(shaderKey: string, outputShape: number[], threads: number) {
  return {
    outputShape,
    shaderKey,
    dispatchLayout: { x: outputShape.map((_, i) => i) },
    dispatch: [Math.ceil(threads / GROUP), 1, 1] as [number, number, number],
    workgroupSize: [GROUP, 1, 1] as [number, number, number],
  };
}
