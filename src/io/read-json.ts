import { readFile } from 'node:fs/promises';
import { CheckpointError } from '../util/index.js';

/**
 * Reads a JSON file of a model, an adapter or an export.
 *
 * @param fix - what to do where it is missing. Default: to check the path.
 * @throws CheckpointError naming the file when it is missing or not JSON.
 */
export async function readJson(path: string, fix = 'Check the path'): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new CheckpointError({ where: path, what, fix, cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, what: 'it is not valid JSON', fix: 'Copy or download it again', cause });
  }
}
