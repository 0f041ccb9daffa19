/** Where things lie. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Per-user cache, shared by all clones. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sonoground');

/** The package whose JavaScript and C++ sources bind TensorFlow to Node. */
export const bindingPackage = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

/** What that package loads. */
export const bindingFile = join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
export const bindingDeps = join(bindingPackage, 'deps');

/** Says why there is no native TensorFlow here, so that it is not tried anew at every command. */
export const fallbackNote = join(root, 'node_modules', '.sonoground-fallback.json');
