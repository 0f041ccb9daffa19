import { CheckpointError, readModelText } from '../util/index.js';

/**
 * Reads a JSON file of a model directory.
 *
 * @throws CheckpointError naming the file when it is missing or not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readModelText(path);
  if (text === undefined)
    throw new CheckpointError({
      where: path,
      what: 'there is no such file',
      fix: 'Name the folder of a model, with its config.json',
    });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({ where: path, what: 'it is not valid JSON', fix: 'Copy or download it again', cause });
  }
}
