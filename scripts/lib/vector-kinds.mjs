/** The kinds of processors that the native operations are compiled for (native/kernels.cc). */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './places.mjs';

/** The least first. SONOGROUND_VECTORS names one, for tests; by default the last one that the processor has is used. */
const KINDS = ['portable', 'avx2', 'avx512', 'amx'];

/** The operations themselves say what they use: the processor may have what the system does not grant. */
const PROBE = `
  const { initBackend, nativeOps, tf } = await import(process.argv[1]);
  await initBackend(process.env.SONOGROUND_BACKEND ?? 'auto', undefined, 'training');
  if (nativeOps().names.includes('linear maps')) {
    const backend = tf.backend();
    const [name] = backend.readSync(backend.executeSingleOutput('SonogroundProcessor', [], []).dataId);
    process.stdout.write(name);
  }
`;

/** Which kinds can run here, the default one last, and which cannot. Needs what `build` makes. */
export function vectorKinds() {
  const backend = pathToFileURL(join(root, 'dist', 'backend', 'index.js')).href;
  const isHere = (kind) => {
    const env = { ...process.env, SONOGROUND_VECTORS: kind };
    return spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, backend], { env }).stdout.toString() === kind;
  };
  const here = KINDS.filter(isHere);
  return { here, missing: KINDS.filter((kind) => !here.includes(kind)) };
}
