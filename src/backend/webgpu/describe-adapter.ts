/** A device that WebGPU could run on. */
export interface AdapterReport {
  /** As in `nvidia`, `amd`, `intel`, `apple`; `google` for its software one. */
  readonly vendor: string;
  /** The family of chips; empty where it is not told. */
  readonly architecture: string;
  /** Its name, with the driver's. */
  readonly description: string;
  /** Computed on the CPU. */
  readonly software: boolean;
  /** Largest tensor, in bytes. */
  readonly maxTensorBytes: number;
  /** Memory that the threads of a group share, in bytes. */
  readonly sharedBytes: number;
  /** Threads that a group may have. */
  readonly groupThreads: number;
}

/** Names of software drivers that do not all call themselves fallbacks. */
export const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software|subzero/i;

/** What an adapter tells of itself. */
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
