import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../io/index.js';
import { writeFileAtomic } from '../util/index.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

/**
 * Copies an adapter, which training wrote as PEFT reads it.
 *
 * @param base - what the adapter says it belongs to, unless it says so itself.
 */
export async function writePeftFolder(from: string, to: string, base: string): Promise<void> {
  await copyFile(join(from, WEIGHTS), join(to, WEIGHTS));
  const config = (await readJson(join(from, CONFIG))) as Record<string, unknown>;
  const named = { ...config, base_model_name_or_path: config['base_model_name_or_path'] ?? base };
  await writeFileAtomic(join(to, CONFIG), `${JSON.stringify(named, null, 2)}\n`);
}
