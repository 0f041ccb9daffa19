import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../util/index.js';
import { findSnapshot, hubSettings, parseModelName } from './hub/index.js';

/** The tokenizer of a model whose weights are published without one. */
interface SeparateTokenizer {
  /** Its files, any of which will do. */
  readonly files: readonly [string, string];
  /** The short name of the download that has them. */
  readonly download: string;
}

/**
 * The folder of a model's tokenizer: that of its weights, else that of a download in the cache.
 *
 * @throws CheckpointError when neither has it.
 */
export async function tokenizerFolder(weightsFolder: string, { files, download }: SeparateTokenizer): Promise<string> {
  const model = parseModelName(download);
  for (const folder of [weightsFolder, await findSnapshot(await hubSettings(), model)])
    if (folder !== undefined && (await holdsOne(folder, files))) return folder;
  throw new CheckpointError({
    code: 'E_TOKENIZER_MISSING',
    where: weightsFolder,
    what: `there is neither ${files.join(' nor ')} beside the weights, and no ${download} in the cache`,
    fix: `Copy that of ${model.repo} beside the weights, or download ${download}`,
  });
}

async function holdsOne(folder: string, files: readonly string[]): Promise<boolean> {
  for (const file of files) if ((await stat(join(folder, file)).catch(() => undefined))?.isFile() === true) return true;
  return false;
}
