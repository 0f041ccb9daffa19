/** Paths. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Whether this is a checkout of the repository. An installed package contains no sources and no lock file. */
export const checkout = existsSync(join(root, 'package-lock.json'));

/** Per-user cache, shared by all clones. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sonoground');

const BINDING = join('@tensorflow', 'tfjs-node-gpu');
const beside = dirname(root);

/** The folder of npm packages in use. The binding itself may be missing: npm removes it if its script fails. */
export const modulesDir =
  !checkout && existsSync(join(beside, '@tensorflow', 'tfjs')) && !existsSync(join(root, 'node_modules', BINDING))
    ? beside
    : join(root, 'node_modules');

/** The package whose JavaScript and C++ sources bind TensorFlow to Node. */
export const bindingPackage = join(modulesDir, BINDING);

/** The file that this package loads. */
export const bindingFile = join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
export const bindingDeps = join(bindingPackage, 'deps');

/** Records why the current TensorFlow is not installed, so that not every command retries it. */
export const fallbackNote = join(modulesDir, '.sonoground-fallback.json');
