import { openGpu, requestAdapter } from './dawn.js';
import { registerDevice } from './device.js';

/** Registers TensorFlow.js's WebGPU backend under `webgpu`, on a Dawn device. */
export async function registerWebgpu(): Promise<void> {
  await openGpu(); // the package uses it at import time
  // Requested here rather than by the engine, which would hide the reason of a failure.
  const adapter = await requestAdapter();
  if (adapter === null) throw new Error('no adapter was found: there is no graphics driver with Vulkan, Metal or Direct3D 12');
  await registerDevice(adapter, {
    instead: '--backend tensorflow',
    again: 'Run the command again: train with --resume; infer resumes by itself',
  });
}
