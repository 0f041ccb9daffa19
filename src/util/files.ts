import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './errors/index.js';

/**
 * Reads a file of a model's folder. In the bundle of the static page `files.browser.ts` stands in for this module, so that what
 * reads models through it reads them from a web server just so.
 *
 * @returns undefined when there is no such file.
 * @throws CheckpointError naming the file when it cannot be read for another reason.
 */
export async function readModelFile(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new CheckpointError({ where: path, what: `it cannot be read (${cause.code})`, fix: 'Check the path', cause });
  });
}

/** The same as text. */
export async function readModelText(path: string): Promise<string | undefined> {
  const bytes = await readModelFile(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** The path of a file of a model's folder. */
export function modelPath(folder: string, name: string): string {
  return join(folder, name);
}
