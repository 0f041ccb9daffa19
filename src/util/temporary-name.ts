import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

/** As they are now, and as they were: with the name of the file before the digits. */
const TEMPORARY = /^\.(sonoground-|.+\.)[0-9a-f]{12}\.tmp$/;

/**
 * A path beside a file to write its content to until it is complete. It does not hold the file's own name, which may be as long
 * as the file system allows.
 */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.sonoground-${randomBytes(6).toString('hex')}.tmp`);
}

/** Whether a file's name is one that {@link temporaryPath} gave, or an earlier version: what a killed process left. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}
