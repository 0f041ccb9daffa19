/** A backend by its own name. */
export type RealName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** What a backend is wanted for. */
export type Purpose = 'inference' | 'training';

/** What a machine has, and what it is wanted for. */
export interface Machine {
  readonly purpose: Purpose;
  /** Whether TensorFlow computes on a CUDA device. */
  readonly cuda: boolean;
  /** What WebGPU could run on, the one that it would take first. */
  readonly adapters: readonly { readonly software: boolean }[];
}

const ON_ANY_MACHINE: readonly RealName[] = ['tensorflow', 'wasm', 'cpu'];

/**
 * The backends that `auto` tries, the first one first: TensorFlow if it has a CUDA device; else, for inference, WebGPU if the
 * adapter that it would take is not software; else TensorFlow on the CPU, WebAssembly, plain JavaScript.
 *
 * Training takes WebGPU only by name: the order of its additions is not always the same, and a resumed run is promised to be
 * exact.
 */
export function backendOrder({ purpose, cuda, adapters: [first] }: Machine): readonly RealName[] {
  if (purpose === 'training' || cuda || first === undefined || first.software) return ON_ANY_MACHINE;
  return ['webgpu', ...ON_ANY_MACHINE];
}
