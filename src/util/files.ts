import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './errors/index.js';
import { unreadableCode } from './unreadable-code.js';

/**
 * Reads a file of a model folder. In the bundle of the static page, `files.browser.ts` replaces this module, so that the same
 * code loads models from a web server.
 *
 * @returns undefined when the file does not exist.
 * @throws CheckpointError naming the file when it cannot be read for another reason.
 */
export async function readModelFile(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new CheckpointError({
      code: unreadableCode(cause),
      where: path,
      what: `it cannot be read (${cause.code})`,
      fix: 'Check the path',
      cause,
    });
  });
}

/** Maximum size of a text file; a vocabulary takes a few megabytes. */
const MAX_TEXT_BYTES = 100_000_000;

/**
 * {@link readModelFile}, decoded as text.
 *
 * @throws CheckpointError also for a pipe or a device, which may never end, and for a text of more than 100 MB.
 */
export async function readModelText(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile() && !found.isDirectory())
    throw new CheckpointError({
      code: 'E_FILE_KIND',
      where: path,
      what: 'it is a pipe or a device, not a file',
      fix: 'Check the path',
    });
  if (found !== undefined && found.size > MAX_TEXT_BYTES)
    throw new CheckpointError({
      code: 'E_FILE_TOO_LARGE',
      where: path,
      what: `it has ${found.size.toLocaleString('en')} bytes, too many to be read`,
      fix: 'Check the path',
    });
  const bytes = await readModelFile(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** The path of a file of a model folder. */
export function modelPath(folder: string, name: string): string {
  return join(folder, name);
}
