import { join } from 'node:path';
import { type LoadOptions, loadCheckpoint, readJson } from '../io/index.js';
import {
  GroundingDino,
  type GroundingDinoConfig,
  groundingDinoTiedKeys,
  groundingDinoUnusedKeys,
  parseGroundingDinoConfig,
} from '../models/grounding-dino/index.js';
import type { Module } from '../nn/index.js';
import { ImageProcessor, PromptTokenizer } from '../processing/index.js';
import { type Rng, UsageError } from '../util/index.js';

/** What a detector needs to turn an image and a prompt into tensors and back. */
export interface DetectorParts {
  readonly model: GroundingDino;
  readonly config: GroundingDinoConfig;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

export interface StartOptions {
  /** Draw the weights instead of reading them. */
  readonly random?: Rng;
}

/** Reads a Grounding DINO from a Hugging Face model directory. */
export async function loadDetector(dir: string, { random }: StartOptions = {}): Promise<DetectorParts> {
  const config = parseGroundingDinoConfig(await readModelConfig(dir, ['grounding-dino']));
  const [tokenizer, imageProcessor] = await Promise.all([PromptTokenizer.load(dir, config.maxTextLen), ImageProcessor.load(dir)]);
  const model = new GroundingDino(config);
  const tied = groundingDinoTiedKeys.filter(({ when }) => when === undefined || config[when]);
  await fill(model, dir, { ignore: groundingDinoUnusedKeys, tied }, random);
  return { model, config, tokenizer, imageProcessor };
}

/** `config.json` of a model directory, which must be of one of the given types. */
export async function readModelConfig(dir: string, types: readonly string[]): Promise<unknown> {
  const file = join(dir, 'config.json');
  const json = await readJson(file);
  const type = (json as { model_type?: unknown }).model_type;
  if (types.includes(String(type))) return json;
  throw new UsageError({
    where: file,
    what: `expected model_type ${types.join(' or ')}, got ${String(type)}`,
    fix: 'Name the folder of such a model',
  });
}

async function fill(model: Module, dir: string, options: LoadOptions, random: Rng | undefined): Promise<void> {
  if (random !== undefined) model.initialise(random);
  else await loadCheckpoint(model, dir, options);
}
