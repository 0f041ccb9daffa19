import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Logger, RuntimeError, silentLogger, UsageError } from '../util/index.js';
import {
  registerBorrowedKernels,
  registerNativeMatMul,
  registerUnsortedSegmentSum,
  registerWebgpuDeformableAttention,
  repairWebgpuKernels,
} from './kernels/index.js';
import { loadNativeOps } from './native-ops.js';
import { backendOrder, type Purpose, type RealName } from './order.js';
import { tf } from './tf.js';
import { type AdapterReport, hasGraphicsDevice, isDeviceLost, listAdapters, registerWebgpu } from './webgpu/index.js';

export const backendNames = ['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const satisfies readonly ('auto' | RealName)[];

/** `auto` selects the fastest available backend, see {@link initBackend}. */
export type BackendName = (typeof backendNames)[number];

const require = createRequire(import.meta.url);

const STARTERS: Readonly<Record<RealName, () => void | Promise<void>>> = {
  tensorflow: loadNative,
  webgpu: loadWebgpu,
  wasm: loadWasm,
  cpu: () => registerUnsortedSegmentSum('cpu'),
};

/** The backends loaded in this process; kernels are registered once. */
const loaded = new Set<RealName>();

/**
 * Initialises a backend and makes it current. Idempotent.
 *
 * `auto` selects TensorFlow if it has a CUDA device; else, for inference, WebGPU if it has an adapter that is not software; else
 * TensorFlow on the CPU, WebAssembly, plain JavaScript. Training only uses WebGPU by name: its order of additions is not
 * deterministic, and resumed runs are guaranteed to be exact.
 *
 * @param purpose - Default: inference.
 * @returns the name of the initialised backend.
 * @throws RuntimeError with the reason for each backend that was tried, if all failed.
 */
export async function initBackend(
  name: BackendName = 'auto',
  logger: Logger = silentLogger,
  purpose: Purpose = 'inference',
): Promise<RealName> {
  if (!backendNames.includes(name))
    throw new UsageError({
      code: 'E_OPTION_VALUE',
      where: 'backend',
      what: `there is none called "${name}"`,
      fix: `Choose from ${backendNames.join(', ')}`,
    });
  const order = name === 'auto' ? await automaticOrder(purpose) : [name];
  const reasons: string[] = [];
  for (const candidate of order) {
    try {
      await quietly(() => start(candidate));
      return candidate;
    } catch (cause) {
      const reason = `${candidate}: ${reasonOf(cause)}`;
      reasons.push(reason);
      if (name === 'auto') logger.warn(`backend ${reason}; trying the next one`);
    }
  }
  throw new RuntimeError({
    code: 'E_BACKEND_UNAVAILABLE',
    where: `backend ${name}`,
    what: reasons.join('; '),
    fix: 'Install what is missing, or choose another backend',
  });
}

/** Initialises the fastest available backend, unless one was initialised before. */
export async function ensureBackend(): Promise<void> {
  if (loaded.size === 0) await initBackend();
}

/** Queries only the devices that can still affect the order. */
async function automaticOrder(purpose: Purpose): Promise<readonly RealName[]> {
  if (purpose === 'training') return backendOrder({ purpose, cuda: false, adapters: [] });
  const cuda = await hasCudaDevice();
  return backendOrder({ purpose, cuda, adapters: cuda ? [] : await graphicsAdapters() });
}

/** Whether TensorFlow has a GPU. Loads it to find out; a failure to load is reported when it is tried. */
async function hasCudaDevice(): Promise<boolean> {
  try {
    await quietly(() => load('tensorflow'));
    return (tf.engine().findBackend('tensorflow') as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
  } catch {
    return false;
  }
}

/** The WebGPU adapters. Having none, or no Dawn for this system, is not an error. */
async function graphicsAdapters(): Promise<readonly AdapterReport[]> {
  if (!hasGraphicsDevice()) return [];
  try {
    return await listAdapters();
  } catch {
    return [];
  }
}

/**
 * Silences tfjs during initialisation, but no longer: in this mode, backends whose clones are copies report a leak for every
 * custom gradient that saves its inputs.
 */
async function quietly(body: () => Promise<void>): Promise<void> {
  tf.env().set('IS_TEST', true);
  try {
    await body();
  } finally {
    tf.env().set('IS_TEST', false);
  }
}

async function start(name: RealName): Promise<void> {
  await load(name);
  if (!(await tf.setBackend(name))) throw new Error('did not start');
  await tf.ready();
  tf.scalar(0).dispose(); // the plain CPU backend advertises the native one on its first use
}

async function load(name: RealName): Promise<void> {
  if (name === 'webgpu' && isDeviceLost()) loaded.delete(name); // a new device may be available
  if (!loaded.has(name)) await STARTERS[name]();
  loaded.add(name);
}

function loadNative(): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'; // two lines logged before TensorFlow reads this are still printed
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true'; // otherwise it allocates all memory of every GPU
  polyfillNodeUtil();
  require('@tensorflow/tfjs-node-gpu');
  registerNativeMatMul();
  loadNativeOps();
}

async function loadWebgpu(): Promise<void> {
  await registerWebgpu();
  repairWebgpuKernels();
  registerWebgpuDeformableAttention();
}

async function loadWasm(): Promise<void> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  registerUnsortedSegmentSum('wasm');
  registerBorrowedKernels();
}

/** The first line of an error, reworded where the package's own message is long. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  // npm silently skips an optional package that cannot be installed.
  if (/Cannot find module '@tensorflow\/tfjs-node-gpu'/.test(message)) return 'its package is not in node_modules';
  if (/Cannot find package '(webgpu|@tensorflow\/tfjs-backend-webgpu)'/.test(message))
    return 'its packages are not in node_modules';
  if (/Cannot find module .*dawn\.node/.test(message)) return `Dawn has no binary for ${process.platform} ${process.arch}`;
  if (/tfjs_binding\.node\) can not be found/.test(message)) return 'native TensorFlow is not installed';
  return message;
}

/**
 * The binding calls two functions of `node:util` that Node 23 removed and Node 22 deprecates (tensorflow/tfjs#8609, fixed but
 * never released); this replaces them.
 */
function polyfillNodeUtil(): void {
  const util = require('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  util['isArray'] = Array.isArray;
}
