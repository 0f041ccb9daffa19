import { describe } from '@jest/globals';
import { hasNativeDeformableAttention, initBackend, nativeOps } from '../../src/backend/index.js';

/** Why the native operations cannot be had here; undefined if they can. Starts the native backend, or the next best. */
export async function nativeOpsMissing(): Promise<string | undefined> {
  const backend = await initBackend((process.env['SONOGROUND_BACKEND'] as 'auto' | undefined) ?? 'auto', undefined, 'training');
  if (backend !== 'tensorflow') return `the backend is ${backend}`;
  return hasNativeDeformableAttention() ? undefined : nativeOps().reason;
}

/** `describe`, or if `missing` gives a reason, the same skipped with the reason in its name. */
export function describeNative(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else describe.skip(`${name} (skipped, as there are no native operations: ${missing})`, body);
}
