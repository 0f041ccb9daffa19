import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from './manifest.js';

/** Whether a folder was written by an export. */
export async function isExported(dir: string): Promise<boolean> {
  return (await stat(join(dir, MANIFEST)).catch(() => undefined))?.isFile() === true;
}
