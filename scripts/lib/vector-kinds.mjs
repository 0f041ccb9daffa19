/** Kinds of processors that the native operations are compiled for (native/kernels.cc). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './places.mjs';

/** In ascending order. SONOGROUND_VECTORS selects one, for tests; the default is the last one that the processor supports. */
const KINDS = ['portable', 'avx2', 'avx512', 'avx512bf16', 'amx'];

/** Asks the operations themselves: the operating system may not enable a feature that the processor has. */
const PROBE = `
  const { initBackend, nativeOps, tf } = await import(process.argv[1]);
  await initBackend(process.env.SONOGROUND_BACKEND ?? 'auto', undefined, 'training');
  if (nativeOps().names.includes('linear maps')) {
    const backend = tf.backend();
    const [name] = backend.readSync(backend.executeSingleOutput('SonogroundProcessor', [], []).dataId);
    process.stdout.write(name);
  }
`;

/** The kinds that can run here, the default one last, and those that cannot. Requires a build. */
export function vectorKinds() {
  const backend = pathToFileURL(join(root, 'dist', 'backend', 'index.js')).href;
  const isHere = (kind) => {
    const env = { ...process.env, SONOGROUND_VECTORS: kind };
    return spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, backend], { env }).stdout.toString() === kind;
  };
  const here = KINDS.filter(isHere);
  return { here, missing: KINDS.filter((kind) => !here.includes(kind)) };
}
