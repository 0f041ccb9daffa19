import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/**
 * A folder of a test file, or of the group that it is called in, which is removed after the tests there. What needs one for each
 * test makes it in here.
 *
 * @param name - begins the folder's name.
 */
export function temporaryFolder(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `sonoground-${name}-`));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
