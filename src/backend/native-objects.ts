import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Prefixes of the files that the set-up (`scripts/lib/native-*.mjs`) places beside the binding. */
export type NativeObject = 'sonoground-ops' | 'sonoground-cuda-ops' | 'sonoground-mpi';

const require = createRequire(import.meta.url);

/**
 * Loads an object compiled by the set-up.
 *
 * @returns its exports, or a clause with the reason why it is missing; undefined if it was never requested.
 * @throws Error when it exists but cannot be loaded.
 */
export function loadNativeObject(prefix: NativeObject): { readonly exports: unknown } | { readonly reason: string | undefined } {
  const dir = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8');
  const names = readdirSync(dir);
  const object = names.find((name) => new RegExp(`^${prefix}-[0-9a-f]+\\.node$`).test(name));
  if (object !== undefined) return { exports: require(join(dir, object)) };
  // A text file of the same name contains the reason.
  const note = names.find((name) => new RegExp(`^${prefix}-[0-9a-f]+\\.failed$`).test(name));
  return { reason: note && readFileSync(join(dir, note), 'utf8').trim() };
}
