/** A device available to WebGPU. */
export interface AdapterReport {
  /** `nvidia`, `amd`, `intel`, `apple` and so on; `google` for its software implementation. */
  readonly vendor: string;
  /** The GPU architecture; empty if not revealed. */
  readonly architecture: string;
  /** Name of the device and its driver. */
  readonly description: string;
  /** Whether it runs on the CPU. */
  readonly software: boolean;
  /** Maximum size of a tensor, in bytes. */
  readonly maxTensorBytes: number;
  /** Workgroup memory, in bytes. */
  readonly sharedBytes: number;
  /** Maximum number of threads per workgroup. */
  readonly groupThreads: number;
}

/** Names of software drivers, not all of which report themselves as fallback adapters. */
export const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software|subzero/i;

/** Extracts a report from an adapter. */
export function describeAdapter({ info, limits }: GPUAdapter): AdapterReport {
  const description = [info.device, info.description].filter((part) => part !== '').join(', ');
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description,
    software: info.isFallbackAdapter || SOFTWARE.test(`${info.architecture} ${description}`),
    maxTensorBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
    sharedBytes: limits.maxComputeWorkgroupStorageSize,
    groupThreads: limits.maxComputeInvocationsPerWorkgroup,
  };
}
