import { readFile } from 'node:fs/promises';
import { CheckpointError } from '../util/index.js';

/**
 * Reads a JSON file of a model directory.
 *
 * @throws CheckpointError naming the file when it is missing or not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new CheckpointError({ where: path, what, fix: 'Name the folder of a model, with its config.json', cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, what: 'it is not valid JSON', fix: 'Copy or download it again', cause });
  }
}
