import { CheckpointError, readModelText } from '../util/index.js';

/**
 * Reads a JSON file of a model, an adapter or an export.
 *
 * @param fix - advice for a missing file. Default: to check the path.
 * @throws CheckpointError naming the file when it is missing or not JSON.
 */
export async function readJson(path: string, fix = 'Check the path'): Promise<unknown> {
  const text = await readModelText(path);
  if (text === undefined)
    throw new CheckpointError({ code: 'E_FILE_NOT_FOUND', where: path, what: 'there is no such file', fix });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError({
      code: 'E_MODEL_DAMAGED',
      where: path,
      what: 'it is not valid JSON',
      fix: 'Copy or download it again',
      cause,
    });
  }
}
