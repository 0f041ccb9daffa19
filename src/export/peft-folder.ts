import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, writeFileAtomic } from '../util/index.js';
import { readJson } from '../weights/index.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

/** Present if the adapter was trained with other image settings than its model's. */
const IMAGES = 'preprocessor_config.json';

/**
 * Copies an adapter, which training wrote in PEFT's format.
 *
 * @param base - the base model, if the adapter does not name one.
 * @throws CheckpointError when it has another format.
 */
export async function writePeftFolder(from: string, to: string, base: string): Promise<void> {
  if ((await stat(join(from, WEIGHTS)).catch(() => undefined)) === undefined)
    throw new CheckpointError({
      code: 'E_ADAPTER_NOT_FOUND',
      where: from,
      what: `there is no ${WEIGHTS} in it`,
      fix: 'Name the folder of an adapter in PEFT’s format, such as runs/NAME/best',
    });
  await mkdir(to, { recursive: true });
  await copyFile(join(from, WEIGHTS), join(to, WEIGHTS));
  await copyFile(join(from, IMAGES), join(to, IMAGES)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const config = (await readJson(join(from, CONFIG))) as Record<string, unknown>;
  const named = { ...config, base_model_name_or_path: config['base_model_name_or_path'] ?? base };
  await writeFileAtomic(join(to, CONFIG), `${JSON.stringify(named, null, 2)}\n`);
}
