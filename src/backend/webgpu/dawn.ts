/** The part of the npm package `webgpu` used here: Dawn, Chromium's implementation of WebGPU. */
interface DawnModule {
  /** @param flags - `adapter=NAME` and other Dawn options. */
  create(flags: readonly string[]): GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** Adapter preference; `high-performance` is the default. */
export type PowerPreference = 'high-performance' | 'low-power';

let dawn: Promise<DawnModule> | undefined;
let gpu: GPU | undefined;

/**
 * Loads Dawn once and defines the same globals as in browsers (`navigator.gpu`, `GPUBufferUsage` and so on): the TensorFlow.js
 * backend uses them, even at import time.
 *
 * @throws Error when the package is missing or has no binary for this system.
 */
export async function openGpu(): Promise<GPU> {
  if (gpu !== undefined) return gpu;
  dawn ??= import('webgpu') as unknown as Promise<DawnModule>;
  const { create, globals } = await dawn;
  const adapter = process.env['SONOGROUND_WEBGPU_ADAPTER'];
  const opened = create(adapter === undefined || adapter === '' ? [] : [`adapter=${adapter}`]);
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const navigator = (globalThis as { navigator?: object }).navigator ?? {
    userAgent: `Node.js/${process.versions.node.split('.')[0]}`, // as in Node 21 and later
  };
  Object.defineProperty(navigator, 'gpu', { value: opened, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  gpu = opened;
  return opened;
}

/**
 * Requests an adapter. Without a driver, Dawn prints a warning about the Vulkan loader to standard error.
 *
 * @returns null if there is none.
 */
export async function requestAdapter(powerPreference: PowerPreference = 'high-performance'): Promise<GPUAdapter | null> {
  return (await openGpu()).requestAdapter({ powerPreference });
}
