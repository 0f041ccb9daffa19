/** The actual name of a backend. */
export type RealName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** The intended use of a backend. */
export type Purpose = 'inference' | 'training';

/** A machine's devices, and the intended use. */
export interface Machine {
  readonly purpose: Purpose;
  /** Whether TensorFlow has a CUDA device. */
  readonly cuda: boolean;
  /** The WebGPU adapters, the default one first. */
  readonly adapters: readonly { readonly software: boolean }[];
}

const ON_ANY_MACHINE: readonly RealName[] = ['tensorflow', 'wasm', 'cpu'];

/**
 * The backends that `auto` tries, in order: TensorFlow if it has a CUDA device; else, for inference, WebGPU if its default
 * adapter is not software; else TensorFlow on the CPU, WebAssembly, plain JavaScript.
 *
 * Training only uses WebGPU by name: its order of additions is not deterministic, and resumed runs are guaranteed to be exact.
 */
export function backendOrder({ purpose, cuda, adapters: [first] }: Machine): readonly RealName[] {
  if (purpose === 'training' || cuda || first === undefined || first.software) return ON_ANY_MACHINE;
  return ['webgpu', ...ON_ANY_MACHINE];
}
