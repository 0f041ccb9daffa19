import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { RuntimeError } from '../util/index.js';
import { repairWebglKernels } from './kernels/webgl-repairs.js';
import { repairWebgpuKernels } from './kernels/webgpu-repairs.js';
import { tf } from './tf.js';
import { SOFTWARE } from './webgpu/describe-adapter.js';
import { adapterInUse, registerDevice } from './webgpu/device.js';

/**
 * How the static page enters this room: what computes in a browser, and nothing of Node's. Models are found in `./index.ts` as
 * everywhere, of which the bundle keeps what is used.
 */
export { tf } from './tf.js';

/** The fastest first. */
export const browserBackends = ['webgpu', 'webgl', 'wasm'] as const;

export type BrowserBackend = (typeof browserBackends)[number];

/** What a backend runs on. */
export interface BrowserDevice {
  /** Its name, where the browser tells it. */
  readonly device: string | undefined;
  /** Whether a GPU is imitated by the CPU; WebAssembly is faster then. */
  readonly software: boolean;
}

const STARTERS: Readonly<Record<BrowserBackend, (folder: string) => Promise<BrowserDevice>>> = {
  webgpu: startWebgpu,
  webgl: startWebgl,
  wasm: startWasm,
};

/**
 * Starts a backend and makes it current.
 *
 * @param folder - the address of the folder with the `.wasm` files of `@tensorflow/tfjs-backend-wasm`, with a slash at its end.
 * @throws RuntimeError saying why it is not to be had.
 */
export async function startInBrowser(name: BrowserBackend, folder: string): Promise<BrowserDevice> {
  try {
    const device = await STARTERS[name](folder);
    await tf.ready();
    return device;
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    // Some of the packages throw plain records.
    const { message = String(cause) } = cause as { readonly message?: string };
    throw unavailable(name, message.split('\n')[0] as string, cause);
  }
}

async function startWebgpu(): Promise<BrowserDevice> {
  // Older browsers have none, and pages without encryption get none.
  const gpu = navigator.gpu as GPU | undefined;
  if (gpu === undefined) throw unavailable('webgpu', 'this browser does not offer it here');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw unavailable('webgpu', 'there is no graphics card that it may use');
  await registerDevice(adapter, { instead: 'another way to compute', again: 'Load the page again' });
  repairWebgpuKernels();
  await use('webgpu');
  const { vendor = '', architecture = '', description = '', software = false } = adapterInUse() ?? {};
  return { device: [vendor, architecture, description].filter((part) => part !== '').join(' ') || undefined, software };
}

async function startWebgl(): Promise<BrowserDevice> {
  if (tf.env().getNumber('WEBGL_VERSION') !== 2) throw unavailable('webgl', 'this browser does not offer its second version');
  if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'))
    throw unavailable('webgl', 'this graphics card computes with half precision only');
  repairWebglKernels();
  await use('webgl');
  const { gl } = (tf.backend() as unknown as { readonly gpgpu: { readonly gl: WebGL2RenderingContext } }).gpgpu;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const device = info === null ? '' : String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
  return { device: device || undefined, software: SOFTWARE.test(device) };
}

async function startWasm(folder: string): Promise<BrowserDevice> {
  setWasmPaths(folder);
  // Threads want headers that a plain web server does not send, and workers of their own.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await use('wasm');
  return { device: (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'SIMD' : undefined, software: false };
}

async function use(name: BrowserBackend): Promise<void> {
  if (!(await tf.setBackend(name))) throw unavailable(name, 'it did not start');
}

function unavailable(name: BrowserBackend, what: string, cause?: unknown): RuntimeError {
  return new RuntimeError({ code: 'E_BACKEND_UNAVAILABLE', where: name, what, cause });
}
