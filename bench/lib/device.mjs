/** The device that a bench ran on, and the memory that it used there. */
import { spawnSync } from 'node:child_process';

/** `cpu`, or the name of the GPU. */
export function deviceName({ backend, device, gpu }) {
  if (device !== undefined) return device;
  if (!gpu) return 'cpu';
  return (backend === 'tensorflow' ? askNvidia(['--query-gpu=name'])[0] : undefined) ?? 'GPU';
}

/** `gpuMb`, the memory that this process holds on the GPU; nothing on a CPU. WebGPU counts it, for CUDA NVIDIA's tool does. */
export function deviceMemoryMb(tf) {
  const { numBytesAllocatedInGPU } = tf.memory();
  if (numBytesAllocatedInGPU !== undefined) return { gpuMb: numBytesAllocatedInGPU / 1e6 };
  if (tf.backend().isUsingGpuDevice !== true) return {};
  const own = askNvidia(['--query-compute-apps=pid,used_memory']).find((line) => line.startsWith(`${process.pid},`));
  return own === undefined ? {} : { gpuMb: Number.parseFloat(own.split(',')[1]) * 1.048576 };
}

function askNvidia(query) {
  const { stdout } = spawnSync('nvidia-smi', [...query, '--format=csv,noheader,nounits'], { encoding: 'utf8', timeout: 10_000 });
  return (stdout ?? '').split('\n').map((line) => line.trim()).filter(Boolean); // biome-ignore format: short
}
