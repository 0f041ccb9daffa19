import { RuntimeError } from '../../util/index.js';
import { tf } from '../tf.js';
import { type AdapterReport, describeAdapter } from './adapters.js';
import { openGpu, requestAdapter } from './dawn.js';
import { DeviceHealth } from './health.js';

type WebgpuPackage = typeof import('@tensorflow/tfjs-backend-webgpu');

/** What is asked of the adapter beyond what WebGPU grants everyone, as far as the adapter has it. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** Bytes of freed buffers that are kept for reuse in any case; beyond it, as many as are in use. */
const KEPT_BYTES = 2 ** 28;

let inUse: AdapterReport | undefined;
let inUseHealth: DeviceHealth | undefined;

/** What the backend runs on; undefined before it was started. */
export function adapterInUse(): AdapterReport | undefined {
  return inUse;
}

/** Whether the backend was started and has lost its device since. */
export function isDeviceLost(): boolean {
  return inUseHealth?.isLost === true;
}

/** Registers TensorFlow.js's WebGPU backend under `webgpu`, on a device of our own: with the adapter's limits, and watched. */
export async function registerWebgpu(): Promise<void> {
  await openGpu(); // the package looks for it when it is imported
  const { WebGPUBackend } = (await import('@tensorflow/tfjs-backend-webgpu')) as WebgpuPackage;
  // Here, not when the engine asks: it would hide why there is none.
  const adapter = await requestAdapter();
  if (adapter === null) throw new Error('no adapter was found: there is no graphics driver with Vulkan, Metal or Direct3D 12');
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures: GPUFeatureName[] = adapter.features.has('timestamp-query') ? ['timestamp-query'] : [];
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const health = new DeviceHealth(device);
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => watched(WebGPUBackend, { device, health, info: adapter.info }));
  [inUse, inUseHealth] = [describeAdapter(adapter), health];
}

interface OpenedDevice {
  readonly device: GPUDevice;
  readonly health: DeviceHealth;
  readonly info: GPUAdapterInfo;
}

/** The package's backend, which tells of what went wrong on the device, refuses what it cannot hold, and gives back memory. */
function watched(Base: WebgpuPackage['WebGPUBackend'], { device, health, info }: OpenedDevice): tf.KernelBackend {
  const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  class Backend extends Base {
    override async read(dataId: object): Promise<tf.BackendValues> {
      health.check();
      try {
        const values = await Promise.race([super.read(dataId), health.lost]);
        health.check();
        return values;
      } catch (error) {
        throw await health.reasonOf(error);
      }
    }

    override readSync(dataId: object): tf.BackendValues {
      const { values } = this.tensorMap.get(dataId);
      if (values != null) return values;
      throw new RuntimeError({
        where: 'backend webgpu',
        what: 'it cannot read values synchronously',
        fix: 'Take `await tensor.data()` in place of `dataSync()`',
      });
    }

    override uploadToGPU(dataId: object): void {
      health.check();
      const { shape, resource } = this.tensorMap.get(dataId);
      const bytes = 4 * tf.util.sizeFromShape(shape);
      if (resource == null && bytes > largest)
        throw new RuntimeError({
          where: 'backend webgpu',
          what: `a tensor [${shape}] of ${megabytes(bytes)} is more than the ${megabytes(largest)} that the device holds in one`,
          fix: 'Lower the batch or image size, or take --backend tensorflow',
        });
      super.uploadToGPU(dataId);
    }

    override submitQueue(): void {
      super.submitQueue();
      trim(this.bufferManager);
    }

    override dispose(): void {
      super.dispose();
      device.destroy();
    }
  }
  return new Backend(device, info);
}

type Pool = InstanceType<WebgpuPackage['WebGPUBackend']>['bufferManager'];

/** The part of the pool of buffers that its types keep to itself. */
interface PoolInside {
  readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
  numFreeBuffers: number;
}

/** The pool keeps every freed buffer for one of just that size, for ever: images of many sizes would fill the memory. */
function trim(pool: Pool): void {
  const inside = pool as unknown as PoolInside;
  const excess = () => pool.numBytesAllocated - pool.numBytesUsed - Math.max(KEPT_BYTES, pool.numBytesUsed);
  if (excess() <= 0) return;
  for (const buffers of inside.freeBuffers.values()) {
    while (buffers.length > 0 && excess() > 0) {
      const buffer = buffers.pop() as GPUBuffer;
      pool.numBytesAllocated -= buffer.size;
      inside.numFreeBuffers--;
      buffer.destroy();
    }
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
