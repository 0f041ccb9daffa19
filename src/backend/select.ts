import { createRequire } from 'node:module';
import { type Logger, RuntimeError, silentLogger } from '../util/index.js';
import { registerNativeMatMul } from './kernels/index.js';
import { withoutBanner } from './quiet.js';
import { tf } from './tf.js';

export const backendNames = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;

/** `auto` takes the first of the others that starts. */
export type BackendName = (typeof backendNames)[number];

/** Starts a backend and makes it current. Safe to call again. */
export async function initBackend(name: BackendName = 'auto', logger: Logger = silentLogger): Promise<string> {
  // Silences tfjs while it starts. Not longer: it also makes every custom gradient that saves its inputs count as a leak
  // on backends whose clones are copies.
  tf.env().set('IS_TEST', true);
  const order: readonly Exclude<BackendName, 'auto'>[] = name === 'auto' ? ['tensorflow', 'wasm', 'cpu'] : [name];
  const reasons: string[] = [];
  for (const candidate of order) {
    try {
      await start(candidate);
      tf.scalar(0).dispose(); // the first use of the plain CPU backend advertises the native one
      tf.env().set('IS_TEST', false);
      return candidate;
    } catch (cause) {
      const reason = `${candidate}: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}`;
      reasons.push(reason);
      if (name === 'auto') logger.warn(`backend ${reason}; trying the next one`);
    }
  }
  throw new RuntimeError({
    where: `backend ${name}`,
    what: reasons.join('; '),
    fix: 'Run `npm run setup`, then `npm run doctor`',
  });
}

let nativeKernelsRegistered = false;

async function start(name: Exclude<BackendName, 'auto'>): Promise<void> {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (name === 'tensorflow') {
    polyfillNodeUtil();
    withoutBanner(() => createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu'));
    if (!nativeKernelsRegistered) registerNativeMatMul();
    nativeKernelsRegistered = true;
  }
  if (name === 'wasm') {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const require = createRequire(import.meta.url);
    wasm.setWasmPaths(`${require.resolve('@tensorflow/tfjs-backend-wasm/package.json').replace(/package\.json$/, '')}dist/`);
  }
  if (!(await tf.setBackend(name))) throw new Error('did not start');
  await tf.ready();
}

/** The binding calls two functions of `node:util` that Node 23 removed (tensorflow/tfjs#8609, fixed but never released). */
function polyfillNodeUtil(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
