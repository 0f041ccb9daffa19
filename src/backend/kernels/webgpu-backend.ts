import { tf } from '../tf.js';

/** A GPU program in the format of TensorFlow.js's WebGPU backend. */
export interface WebgpuProgram {
  readonly variableNames: string[];
  /** Vector width of each input's elements. */
  readonly variableComponents?: number[];
  readonly outputShape: number[];
  readonly outputComponent?: number;
  /** Programs with the same key have the same source for equal ranks and types. */
  shaderKey: string;
  readonly dispatchLayout: { x: number[] };
  dispatch: [number, number, number];
  readonly workgroupSize: [number, number, number];
  /** Declarations of uniforms besides the shapes. */
  readonly uniforms: string;
  /** Whether the source uses the output's size. */
  readonly size?: boolean;
  /** Whether the output's elements are `atomic<i32>`. */
  readonly atomic?: boolean;
  getUserCode(): string;
}

/** The part of the WebGPU backend that custom kernels need. */
export interface WebgpuBackend {
  runWebGPUProgram(
    program: WebgpuProgram,
    inputs: readonly tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms: readonly { type: string; data: number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
  disposeData(dataId: tf.DataId): boolean;
  /** The types of the buffers; a tensor that shares one may have another type. */
  readonly tensorMap: { get(dataId: tf.DataId): { readonly dtype: tf.DataType } };
}

/** A call of a kernel. */
export interface WebgpuKernelCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: WebgpuBackend;
}

export type WebgpuKernel = (call: WebgpuKernelCall) => tf.TensorInfo | tf.TensorInfo[];

/** Runs a kernel of the backend by name, bypassing the engine. */
export function runKernelOn(
  backend: WebgpuBackend,
  kernelName: string,
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  attrs: Readonly<Record<string, unknown>>,
): tf.TensorInfo {
  const { kernelFunc } = tf.getKernel(kernelName, 'webgpu');
  return kernelFunc({ inputs: { ...inputs }, attrs: { ...attrs } as unknown as tf.NamedAttrMap, backend }) as tf.TensorInfo;
}

/** Workgroup size of the custom programs. */
const GROUP = 64;

/** Common fields of a program with this many threads in one dimension. */
export function flatProgram(shaderKey: string, outputShape: number[], threads: number) {
  return {
    outputShape,
    shaderKey,
    dispatchLayout: { x: outputShape.map((_, i) => i) },
    dispatch: [Math.ceil(threads / GROUP), 1, 1] as [number, number, number],
    workgroupSize: [GROUP, 1, 1] as [number, number, number],
  };
}
