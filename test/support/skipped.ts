import { describe, it } from '@jest/globals';

/*
 * Tests that cannot run everywhere. The reason stands in the name, where the last lines of `npm test` find it.
 */

/** Why the slow tier is left out; undefined where it runs. */
export const notSlow: string | undefined = process.env['SONOGROUND_SLOW'] === '1' ? undefined : 'it is in the slow tier';

/** Why what needs the native TensorFlow is left out, by the backend that there is. */
export function notNative(backend: string): string | undefined {
  return backend === 'tensorflow' ? undefined : `it needs the native TensorFlow, and the backend is ${backend}`;
}

/** Adds the reason to a name. */
export function skippedName(missing: string | undefined, name: string): string {
  return missing === undefined ? name : `${name} (skipped: ${missing})`;
}

/** `describe`, or if `missing` gives a reason, the same skipped with the reason in its name. */
export function describeUnless(missing: string | undefined, name: string, body: () => void): void {
  (missing === undefined ? describe : describe.skip)(skippedName(missing, name), body);
}

/** `it`, or if `missing` gives a reason, the same skipped with the reason in its name. */
export function itUnless(missing: string | undefined, name: string, body: () => unknown): void {
  (missing === undefined ? it : it.skip)(skippedName(missing, name), body as () => Promise<void>);
}
