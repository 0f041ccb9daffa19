import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { locateShipped } from '../config/index.js';
import { setAdapterScale } from '../lora/index.js';
import {
  GroundingDino,
  type GroundingDinoConfig,
  groundingDinoAuthorsKeys,
  groundingDinoAuthorsUnusedKeys,
  groundingDinoTiedKeys,
  groundingDinoUnusedKeys,
  mmGroundingDinoSharedKeys,
  parseGroundingDinoConfig,
} from '../models/grounding-dino/index.js';
import { parseSamConfig, Sam, type SamConfig, samAuthorsKeys, samAuthorsUnusedKeys } from '../models/sam/index.js';
import {
  parseSam2Config,
  Sam2,
  type Sam2Config,
  sam2AuthorsKeys,
  sam2AuthorsUnusedKeys,
  sam2UnusedKeys,
} from '../models/sam2/index.js';
import type { Module } from '../nn/index.js';
import { ImageProcessor } from '../processing/index.js';
import { PromptTokenizer } from '../prompts/index.js';
import { CheckpointError, type Rng } from '../util/index.js';
import { type LoadOptions, loadCheckpoint, modelFolder } from '../weights/index.js';
import { resolveModelDirectory } from './hub/index.js';
import { loadAdapter } from './load-adapter.js';
import { readModelConfig } from './model-config.js';

/** What a detector needs to turn an image and a prompt into tensors and back. */
export interface DetectorParts {
  readonly model: GroundingDino;
  readonly config: GroundingDinoConfig;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

/** What a masker needs. */
export type MaskerParts = Sam2Parts | SamParts;

/** A SAM 2 and what goes with it. */
export interface Sam2Parts {
  readonly type: 'sam2';
  readonly model: Sam2;
  readonly config: Sam2Config;
  readonly imageProcessor: ImageProcessor;
}

/** A SAM and what goes with it. */
export interface SamParts {
  readonly type: 'sam';
  readonly model: Sam;
  readonly config: SamConfig;
  readonly imageProcessor: ImageProcessor;
}

interface StartOptions {
  /** Draw the weights instead of reading them. */
  readonly random?: Rng;
}

/** How a model gets its weights and its adapter. */
export interface AdaptedOptions extends StartOptions {
  /** Folder of a LoRA adapter, or a file of its weights. Image settings in the folder stand in for the model's. */
  readonly adapter?: string | undefined;
  /** Scales what the adapter changes. Default: 1; 0 is the base model. */
  readonly adapterScale?: number | undefined;
}

/** The image settings of Grounding DINO where a folder has none. */
const DETECTOR_IMAGES = { size: { shortest_edge: 800, longest_edge: 1333 } };

/**
 * The folder or weight file that is meant: a path stays itself, `weights/NAME` is also found in this package, and a name stands
 * for its folder in the download cache.
 */
export async function resolveModel(nameOrPath: string): Promise<string> {
  const place = await locateShipped(nameOrPath);
  if ((await stat(place).catch(() => undefined)) !== undefined) return place;
  const name = /^[^./\\][^/\\]*(\/[^/\\]+)?$/; // a short name or owner/repo
  if (name.test(nameOrPath)) return resolveModelDirectory(nameOrPath);
  throw new CheckpointError({
    where: nameOrPath,
    what: 'there is no such folder or weight file',
    fix: 'Check the path, or take a name that `npm run download -- --list` shows',
  });
}

/** Which configurations describe a Grounding DINO, by their `model_type`. */
export const groundingDinoConfigs = {
  'grounding-dino': parseGroundingDinoConfig,
  'mm-grounding-dino': parseGroundingDinoConfig,
};

/**
 * Reads a Grounding DINO.
 *
 * @param model - a Hugging Face model directory, the authors' file with a tokenizer beside it, or the name of a downloaded model.
 */
export async function loadDetector(model: string, options: AdaptedOptions = {}): Promise<DetectorParts> {
  const path = await resolveModel(model);
  const config = await readModelConfig(path, groundingDinoConfigs);
  const folder = await modelFolder(path);
  const [tokenizer, imageProcessor] = await Promise.all([
    PromptTokenizer.load(folder, config.maxTextLen),
    ImageProcessor.load(await imageSettings(folder, options.adapter), DETECTOR_IMAGES),
  ]);
  return { model: await loadGroundingDino(path, config, options), config, tokenizer, imageProcessor };
}

/** The model of {@link loadDetector} alone. */
export async function loadGroundingDino(
  path: string,
  config: GroundingDinoConfig,
  options: AdaptedOptions = {},
): Promise<GroundingDino> {
  const tied = groundingDinoTiedKeys.filter(({ when }) => when === undefined || config[when]);
  const ignore = [...groundingDinoUnusedKeys, ...groundingDinoAuthorsUnusedKeys];
  const shared = config.scaledLogits ? mmGroundingDinoSharedKeys : [];
  return prepared(new GroundingDino(config), path, { ignore, tied, shared, namings: [groundingDinoAuthorsKeys] }, options);
}

/** Which configurations describe a masker, by their `model_type`. */
export const maskerConfigs = {
  sam2: (json: unknown) => ({ type: 'sam2', config: parseSam2Config(json) }) as const,
  /** Its image part. */
  sam2_video: (json: unknown) => ({ type: 'sam2', config: parseSam2Config(json) }) as const,
  sam: (json: unknown) => ({ type: 'sam', config: parseSamConfig(json) }) as const,
};

/**
 * Reads a SAM 2 (`sam2`, or the image part of `sam2_video`).
 *
 * @param model - a Hugging Face model directory, Meta's `.pt` file, or the name of a downloaded model.
 */
export async function loadSam2Masker(model: string, options: AdaptedOptions = {}): Promise<Sam2Parts> {
  const path = await resolveModel(model);
  const { sam2, sam2_video } = maskerConfigs;
  const { config } = await readModelConfig(path, { sam2, sam2_video });
  return sam2Parts(path, config, options);
}

/**
 * Reads a masker of any kind: a SAM 2, or a SAM, which MedSAM is.
 *
 * @param model - a Hugging Face model directory, the authors' file, or the name of a downloaded model.
 */
export async function loadMasker(model: string, options: AdaptedOptions = {}): Promise<MaskerParts> {
  const path = await resolveModel(model);
  const kind = await readModelConfig<ReturnType<(typeof maskerConfigs)[keyof typeof maskerConfigs]>>(path, maskerConfigs);
  return kind.type === 'sam2' ? sam2Parts(path, kind.config, options) : samParts(path, kind.config, options);
}

async function sam2Parts(path: string, config: Sam2Config, options: AdaptedOptions): Promise<Sam2Parts> {
  const { imageSize: side } = config.promptEncoder;
  const imageProcessor = await ImageProcessor.load(await modelFolder(path), { size: { height: side, width: side } });
  return { type: 'sam2', model: await loadSam2(path, config, options), config, imageProcessor };
}

async function samParts(path: string, config: SamConfig, options: AdaptedOptions): Promise<SamParts> {
  const { imageSize: side } = config.vision;
  const settings = { size: { longest_edge: side }, pad_size: { height: side, width: side } };
  const imageProcessor = await ImageProcessor.load(await modelFolder(path), settings);
  return { type: 'sam', model: await loadSam(path, config, options), config, imageProcessor };
}

/** The model of {@link loadSam2Masker} alone. */
export async function loadSam2(path: string, config: Sam2Config, options: AdaptedOptions = {}): Promise<Sam2> {
  const ignore = [...sam2UnusedKeys, ...sam2AuthorsUnusedKeys];
  return prepared(new Sam2(config), path, { ignore, namings: [sam2AuthorsKeys] }, options);
}

/** A SAM of {@link loadMasker} alone. */
export async function loadSam(path: string, config: SamConfig, options: AdaptedOptions = {}): Promise<Sam> {
  return prepared(new Sam(config), path, { ignore: samAuthorsUnusedKeys, namings: [samAuthorsKeys] }, options);
}

/** Where the image settings of a detector lie: beside its adapter, if it was trained with others than its model's. */
async function imageSettings(folder: string, adapter: string | undefined): Promise<string> {
  if (adapter === undefined) return folder;
  const own = await stat(join(adapter, 'preprocessor_config.json')).catch(() => undefined);
  return own === undefined ? folder : adapter;
}

/** Gives a model its weights and its adapter, and frees it when they cannot be read. */
async function prepared<M extends Module>(
  model: M,
  path: string,
  how: LoadOptions,
  { random, adapter, adapterScale = 1 }: AdaptedOptions,
): Promise<M> {
  try {
    if (random !== undefined) model.initialise(random);
    else await loadCheckpoint(model, path, how);
    if (adapter === undefined) return model;
    await loadAdapter(model, adapter);
    if (adapterScale !== 1) setAdapterScale(model, adapterScale);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
