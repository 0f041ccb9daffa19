import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Prefixes of what the set-up (`scripts/lib/native-ops.mjs`, `native-cuda.mjs`) puts beside the binding. */
export type NativeObject = 'sonoground-ops' | 'sonoground-cuda-ops';

const require = createRequire(import.meta.url);

/**
 * Loads an object that the set-up compiled.
 *
 * @returns what it exports, or in a clause the reason why it is not there; undefined: it was never asked for.
 * @throws Error when it is there and cannot be loaded.
 */
export function loadNativeObject(prefix: NativeObject): { readonly exports: unknown } | { readonly reason: string | undefined } {
  const dir = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8');
  const names = readdirSync(dir);
  const object = names.find((name) => new RegExp(`^${prefix}-[0-9a-f]+\\.node$`).test(name));
  if (object !== undefined) return { exports: require(join(dir, object)) };
  // A text of the same name says why not.
  const note = names.find((name) => new RegExp(`^${prefix}-[0-9a-f]+\\.failed$`).test(name));
  return { reason: note && readFileSync(join(dir, note), 'utf8').trim() };
}
