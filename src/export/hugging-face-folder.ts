import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelFolder, saveCheckpoint } from '../io/index.js';
import type { Module } from '../nn/index.js';
import { writeFileAtomic } from '../util/index.js';

/** What a Hugging Face model directory holds besides weights, as far as detectors and maskers need it. */
const COMPANIONS = [
  'config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
];

export interface HuggingFaceSource {
  /** The folder or weight file that the model was read from. */
  readonly path: string;
  /** `config.json` where the source has none or another model's. */
  readonly config?: unknown;
  /** `preprocessor_config.json` where the source has none. */
  readonly preprocessor: Readonly<Record<string, unknown>>;
}

/** Copies the files beside the weights, and writes those that the source lacks. */
export async function writeCompanions(source: HuggingFaceSource, dir: string): Promise<void> {
  const from = await modelFolder(source.path);
  await mkdir(dir, { recursive: true });
  const present = new Set(await readdir(from));
  for (const name of COMPANIONS) if (present.has(name)) await copyFile(join(from, name), join(dir, name));
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  if (source.config !== undefined) await writeFileAtomic(join(dir, 'config.json'), json(source.config));
  if (!present.has('preprocessor_config.json') && !(await describesImages(join(from, 'processor_config.json'))))
    await writeFileAtomic(join(dir, 'preprocessor_config.json'), json(source.preprocessor));
}

/** Newer folders keep the image settings in the processor's file. */
async function describesImages(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text !== undefined && 'image_processor' in (JSON.parse(text) as object);
}

/** Writes a model as transformers' `from_pretrained` reads it. Adapters must be merged before. */
export async function writeHuggingFaceFolder(
  model: Module,
  source: HuggingFaceSource,
  dir: string,
  { half }: { readonly half: boolean },
): Promise<void> {
  await writeCompanions(source, dir);
  await saveCheckpoint(model, join(dir, 'model.safetensors'), { half });
}
