/** The part of the npm package `webgpu` that is used: Dawn, the implementation of WebGPU that Chromium has. */
interface DawnModule {
  /** @param flags - `adapter=NAME` and other words to Dawn. */
  create(flags: readonly string[]): GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** What a program asks for when it has no wishes. */
export type PowerPreference = 'high-performance' | 'low-power';

let dawn: Promise<DawnModule> | undefined;
let gpu: GPU | undefined;

/**
 * Loads Dawn once and puts WebGPU where browsers have it (`navigator.gpu`, `GPUBufferUsage` and its like): the TensorFlow.js
 * backend looks for it there, also at the moment when it is imported.
 *
 * @throws Error when the package is not there or has no binary for this system.
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
    userAgent: `Node.js/${process.versions.node.split('.')[0]}`, // as Node 21 and later have it
  };
  Object.defineProperty(navigator, 'gpu', { value: opened, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  gpu = opened;
  return opened;
}

/**
 * Asks for an adapter. Where there is no driver, Dawn writes a warning about the Vulkan loader to standard error.
 *
 * @returns null if there is none.
 */
export async function requestAdapter(powerPreference: PowerPreference = 'high-performance'): Promise<GPUAdapter | null> {
  return (await openGpu()).requestAdapter({ powerPreference });
}
