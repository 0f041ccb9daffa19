import { existsSync, readdirSync } from 'node:fs';
import { type PowerPreference, requestAdapter } from './dawn.js';

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
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software|subzero/i;

/** Each wish may be answered by another device. */
const WISHES: readonly PowerPreference[] = ['high-performance', 'low-power'];

/** What a graphics device of the kernel, NVIDIA's driver or Windows' subsystem for Linux looks like. */
const RENDER_NODE = /^renderD\d+$/;
const OTHER_DEVICES: readonly string[] = ['/dev/nvidia0', '/dev/dxg'];

/**
 * Whether the system shows a graphics device at all. Without one there is nothing to ask Dawn for, whose loader of drivers would
 * complain on standard error.
 */
export function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true;
  return renderNodes().some((name) => RENDER_NODE.test(name)) || OTHER_DEVICES.some((path) => existsSync(path));
}

function renderNodes(): string[] {
  try {
    return readdirSync('/dev/dri');
  } catch {
    return [];
  }
}

/** Lists the adapters, the one that is taken first. Empty where there is no driver; throws where Dawn cannot be loaded. */
export async function listAdapters(): Promise<AdapterReport[]> {
  const reports: AdapterReport[] = [];
  for (const wish of WISHES) {
    const adapter = await requestAdapter(wish);
    if (adapter === null) continue;
    const report = describeAdapter(adapter);
    if (!reports.some(({ description }) => description === report.description)) reports.push(report);
  }
  return reports;
}

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
