import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Module } from '../nn/index.js';
import { derivedConfig } from '../pretrained/index.js';
import { writeFileAtomic } from '../util/index.js';
import { modelFolder, saveCheckpoint } from '../weights/index.js';

const PREPROCESSOR = 'preprocessor_config.json';
const PROCESSOR = 'processor_config.json';

/** Files of a Hugging Face model directory, besides weights, that detectors and maskers need. */
const COMPANIONS = [
  'config.json',
  PREPROCESSOR,
  PROCESSOR,
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
];

export interface HuggingFaceSource {
  /** The folder or weight file that the model was read from. */
  readonly path: string;
  /** The folder of an adapter, whose image settings take precedence over the model's, as it was trained with them. */
  readonly adapter?: string | undefined;
  /** `preprocessor_config.json` for sources without one. */
  readonly preprocessor: Readonly<Record<string, unknown>>;
}

/** Copies the files beside the weights, and creates missing ones. */
export async function writeCompanions(source: HuggingFaceSource, dir: string): Promise<void> {
  const from = await modelFolder(source.path);
  await mkdir(dir, { recursive: true });
  const present = new Set(await readdir(from));
  for (const name of COMPANIONS) if (present.has(name)) await copyFile(join(from, name), join(dir, name));
  const config = await derivedConfig(source.path);
  if (config !== undefined) await writeJson(join(dir, 'config.json'), config);
  const own = source.adapter === undefined ? undefined : await settingsIn(join(source.adapter, PREPROCESSOR));
  const shared = await settingsIn(join(from, PROCESSOR));
  if (own !== undefined || (!present.has(PREPROCESSOR) && shared?.['image_processor'] === undefined))
    await writeJson(join(dir, PREPROCESSOR), own ?? source.preprocessor);
  // Newer folders store the image settings in the processor's file, which transformers reads first.
  if (own !== undefined && shared?.['image_processor'] !== undefined)
    await writeJson(join(dir, PROCESSOR), { ...shared, image_processor: { ...shared['image_processor'], ...own } });
}

async function settingsIn(file: string): Promise<Readonly<Record<string, object>> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, object>);
}

function writeJson(file: string, value: unknown): Promise<void> {
  return writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a model in the format of transformers' `from_pretrained`. Adapters must be merged before. */
export async function writeHuggingFaceFolder(
  model: Module,
  source: HuggingFaceSource,
  dir: string,
  { half }: { readonly half: boolean },
): Promise<void> {
  await writeCompanions(source, dir);
  await saveCheckpoint(model, join(dir, 'model.safetensors'), { half });
}
