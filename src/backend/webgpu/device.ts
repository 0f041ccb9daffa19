import { RuntimeError } from '../../util/index.js';
import { tf } from '../tf.js';
import { type AdapterReport, describeAdapter } from './describe-adapter.js';
import { type DeviceAdvice, DeviceHealth } from './health.js';

type WebgpuPackage = typeof import('@tensorflow/tfjs-backend-webgpu');

/** Limits raised above WebGPU's defaults, as far as the adapter supports it. */
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

/** Bytes of freed buffers that are always kept for reuse; more are kept up to the number of bytes in use. */
const KEPT_BYTES = 2 ** 28;

/**
 * Maximum size of tensors whose values stay in host memory after upload: graph models read constants (depths, axes, shapes)
 * synchronously, including those already used by an operation.
 */
const KEPT_NUMBERS = 64;

let inUse: AdapterReport | undefined;
let inUseHealth: DeviceHealth | undefined;

/** The backend's adapter; undefined before initialisation. */
export function adapterInUse(): AdapterReport | undefined {
  return inUse;
}

/** Whether the backend was initialised and has lost its device since. */
export function isDeviceLost(): boolean {
  return inUseHealth?.isLost === true;
}

/**
 * Registers TensorFlow.js's WebGPU backend under `webgpu`, on a device created here: with the adapter's limits, and monitored.
 * Used in Node and in browsers.
 */
export async function registerDevice(adapter: GPUAdapter, advice: DeviceAdvice): Promise<void> {
  const { WebGPUBackend } = (await import('@tensorflow/tfjs-backend-webgpu')) as WebgpuPackage;
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures: GPUFeatureName[] = adapter.features.has('timestamp-query') ? ['timestamp-query'] : [];
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  const health = new DeviceHealth(device, advice);
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => watched(WebGPUBackend, { device, health, info: adapter.info, advice }));
  [inUse, inUseHealth] = [describeAdapter(adapter), health];
}

interface OpenedDevice {
  readonly device: GPUDevice;
  readonly health: DeviceHealth;
  readonly info: GPUAdapterInfo;
  readonly advice: DeviceAdvice;
}

/** The package's backend, extended to report device errors, reject tensors that are too large, and release memory. */
function watched(Base: WebgpuPackage['WebGPUBackend'], { device, health, info, advice }: OpenedDevice): tf.KernelBackend {
  const largest = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
  const kept = new WeakMap<object, tf.BackendValues>();
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
      const values = this.tensorMap.get(dataId).values ?? kept.get(dataId);
      if (values !== undefined) return values;
      throw new RuntimeError({
        code: 'E_SYNC_READ',
        where: 'backend webgpu',
        what: 'it cannot read values synchronously',
        fix: 'Take `await tensor.data()` in place of `dataSync()`',
      });
    }

    override uploadToGPU(dataId: object): void {
      health.check();
      const { shape, resource, values } = this.tensorMap.get(dataId);
      if (values != null && values.length <= KEPT_NUMBERS) kept.set(dataId, values as tf.BackendValues);
      const bytes = 4 * tf.util.sizeFromShape(shape);
      if (resource == null && bytes > largest)
        throw new RuntimeError({
          code: 'E_OUT_OF_MEMORY',
          where: 'backend webgpu',
          what: `a tensor [${shape}] of ${megabytes(bytes)} is more than the ${megabytes(largest)} that the device holds in one`,
          fix: `Lower the batch or image size, or take ${advice.instead}`,
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

/** The private part of the buffer pool. */
interface PoolInside {
  readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
  numFreeBuffers: number;
}

/** The pool keeps every freed buffer forever, for reuse at exactly the same size: images of many sizes would fill the memory. */
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
