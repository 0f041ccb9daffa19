import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { RuntimeError } from '../util/index.js';
import { repairWebglKernels } from './kernels/webgl-repairs.js';
import { repairWebgpuKernels } from './kernels/webgpu-repairs.js';
import { tf } from './tf.js';
import { SOFTWARE } from './webgpu/describe-adapter.js';
import { adapterInUse, registerDevice } from './webgpu/device.js';

/**
 * Entry point of this folder for the static page: what runs in a browser, without Node's part. Models import `./index.ts` as
 * everywhere, of which the bundle keeps only what is used.
 */
export { tf } from './tf.js';

/** Fastest first. */
export const browserBackends = ['webgpu', 'webgl', 'wasm'] as const;

export type BrowserBackend = (typeof browserBackends)[number];

/** The device of a backend. */
export interface BrowserDevice {
  /** Its name, if the browser reveals it. */
  readonly device: string | undefined;
  /** Whether it is a software implementation; WebAssembly is then faster. */
  readonly software: boolean;
}

const STARTERS: Readonly<Record<BrowserBackend, (folder: string) => Promise<BrowserDevice>>> = {
  webgpu: startWebgpu,
  webgl: startWebgl,
  wasm: startWasm,
};

/**
 * Initialises a backend and makes it current.
 *
 * @param folder - URL of the folder with the `.wasm` files of `@tensorflow/tfjs-backend-wasm`, with a trailing slash.
 * @throws RuntimeError with the reason why it is not available.
 */
export async function startInBrowser(name: BrowserBackend, folder: string): Promise<BrowserDevice> {
  try {
    const device = await STARTERS[name](folder);
    await tf.ready();
    return device;
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    // Some packages throw plain objects.
    const { message = String(cause) } = cause as { readonly message?: string };
    throw unavailable(name, message.split('\n')[0] as string, cause);
  }
}

async function startWebgpu(): Promise<BrowserDevice> {
  // Undefined in older browsers and in insecure contexts.
  const gpu = navigator.gpu as GPU | undefined;
  if (gpu === undefined) throw unavailable('webgpu', 'this browser does not offer it here');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw unavailable('webgpu', 'no GPU is available to it');
  await registerDevice(adapter, { instead: 'another way to compute', again: 'Load the page again' });
  repairWebgpuKernels();
  await use('webgpu');
  const { vendor = '', architecture = '', description = '', software = false } = adapterInUse() ?? {};
  return { device: [vendor, architecture, description].filter((part) => part !== '').join(' ') || undefined, software };
}

async function startWebgl(): Promise<BrowserDevice> {
  if (tf.env().getNumber('WEBGL_VERSION') !== 2) throw unavailable('webgl', 'this browser does not offer its second version');
  if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) throw unavailable('webgl', 'this GPU computes with half precision only');
  repairWebglKernels();
  await use('webgl');
  const { gl } = (tf.backend() as unknown as { readonly gpgpu: { readonly gl: WebGL2RenderingContext } }).gpgpu;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const device = info === null ? '' : String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
  return { device: device || undefined, software: SOFTWARE.test(device) };
}

/** More gain nothing for models of this size. */
const MOST_THREADS = 8;

async function startWasm(folder: string): Promise<BrowserDevice> {
  setWasmPaths(folder);
  // Browsers give threads to pages that their server isolates by headers, which a plain one does not send.
  const threads = globalThis.crossOriginIsolated === true ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1);
  if (threads > 1) setThreadsCount(threads);
  await use('wasm');
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { device: simd ? `SIMD${threads > 1 ? `, ${threads} threads` : ''}` : undefined, software: false };
}

async function use(name: BrowserBackend): Promise<void> {
  if (!(await tf.setBackend(name))) throw unavailable(name, 'it did not start');
}

function unavailable(name: BrowserBackend, what: string, cause?: unknown): RuntimeError {
  return new RuntimeError({ code: 'E_BACKEND_UNAVAILABLE', where: name, what, cause });
}
