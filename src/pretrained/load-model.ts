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
  parseSam2VideoConfig,
  Sam2,
  type Sam2Config,
  Sam2Video,
  type Sam2VideoConfig,
  sam2AuthorsKeys,
  sam2MemoryKeys,
} from '../models/sam2/index.js';
import type { Module } from '../nn/index.js';
import { ImageProcessor } from '../processing/index.js';
import { PromptTokenizer } from '../prompts/index.js';
import { CheckpointError, type Rng } from '../util/index.js';
import { type LoadOptions, loadCheckpoint, modelFolder } from '../weights/index.js';
import { resolveModelDirectory } from './hub/index.js';
import { loadAdapter } from './load-adapter.js';
import { readModelConfig } from './model-config.js';

/** A detector with its tokenizer and image processor. */
export interface DetectorParts {
  readonly model: GroundingDino;
  readonly config: GroundingDinoConfig;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

/** A masker with its image processor. */
export type MaskerParts = Sam2Parts | SamParts;

/** A SAM 2 with its image processor. */
export interface Sam2Parts {
  readonly type: 'sam2';
  readonly model: Sam2;
  readonly config: Sam2Config;
  readonly imageProcessor: ImageProcessor;
}

/** A SAM 2 with its memory over the frames of a clip, and its image processor. */
export interface Sam2VideoParts {
  readonly model: Sam2Video;
  readonly config: Sam2VideoConfig;
  readonly imageProcessor: ImageProcessor;
}

/** A SAM with its image processor. */
export interface SamParts {
  readonly type: 'sam';
  readonly model: Sam;
  readonly config: SamConfig;
  readonly imageProcessor: ImageProcessor;
}

interface StartOptions {
  /** Initialise the weights randomly instead of reading them. */
  readonly random?: Rng;
}

/** Options for a model's weights and adapter. */
export interface AdaptedOptions extends StartOptions {
  /** Folder of a LoRA adapter, or its weight file. Image settings in the folder override the model's. */
  readonly adapter?: string | undefined;
  /** Scales the adapter's effect. Default: 1; 0 is the base model. */
  readonly adapterScale?: number | undefined;
}

/** Default image settings of Grounding DINO. */
const DETECTOR_IMAGES = { size: { shortest_edge: 800, longest_edge: 1333 } };

/**
 * Resolves a model to a folder or weight file: a path stays itself, `weights/NAME` is also looked up in this package, and a name
 * resolves to its folder in the download cache, or to its file there.
 */
export async function resolveModel(nameOrPath: string): Promise<string> {
  const place = await locateShipped(nameOrPath);
  if ((await stat(place).catch(() => undefined)) !== undefined) return place;
  const name = /^[^./\\][^/\\]*(\/[^/\\]+)?$/; // a short name or owner/repo
  if (name.test(nameOrPath) || /^(github|gdrive):/.test(nameOrPath)) return resolveModelDirectory(nameOrPath);
  throw new CheckpointError({
    code: 'E_MODEL_NOT_FOUND',
    where: nameOrPath,
    what: 'there is no such folder or weight file',
    fix: 'Check the path, or take the name of a known model',
  });
}

/** Parsers of Grounding DINO configurations, by `model_type`. */
export const groundingDinoConfigs = {
  'grounding-dino': parseGroundingDinoConfig,
  'mm-grounding-dino': parseGroundingDinoConfig,
};

/**
 * Loads a Grounding DINO.
 *
 * @param model - a Hugging Face model directory, the authors' checkpoint with a tokenizer beside it, or the name of a downloaded
 * model.
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

/** Loads only the model of {@link loadDetector}. */
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

/** Parsers of SAM's configurations, by `model_type`. */
export const samConfigs = { sam: (json: unknown) => ({ type: 'sam', config: parseSamConfig(json) }) as const };

/** Parsers of masker configurations, by `model_type`. */
export const maskerConfigs = {
  sam2: (json: unknown) => ({ type: 'sam2', config: parseSam2Config(json) }) as const,
  /** Only its image part. */
  sam2_video: (json: unknown) => ({ type: 'sam2', config: parseSam2Config(json) }) as const,
  ...samConfigs,
};

/**
 * Whether a model is a masker rather than a detector, by its `model_type`.
 *
 * @throws CheckpointError when it is neither.
 */
export async function isMasker(path: string): Promise<boolean> {
  const every = (types: object, answer: boolean) => Object.keys(types).map((type) => [type, () => answer] as const);
  return readModelConfig(path, Object.fromEntries([...every(maskerConfigs, true), ...every(groundingDinoConfigs, false)]));
}

/**
 * Loads a SAM 2 (`sam2`, or the image part of `sam2_video`).
 *
 * @param model - a Hugging Face model directory, Meta's `.pt` file, or the name of a downloaded model.
 */
export async function loadSam2Masker(model: string, options: AdaptedOptions = {}): Promise<Sam2Parts> {
  const path = await resolveModel(model);
  const { sam2, sam2_video } = maskerConfigs;
  const { config } = await readModelConfig(path, { sam2, sam2_video });
  return sam2Parts(path, config, options);
}

/** Parsers of configurations of SAM 2 with its memory, by `model_type`: an image model's may have the memory's fields added. */
const sam2VideoConfigs = {
  sam2_video: parseSam2VideoConfig,
  sam2: (json: unknown) => {
    if (Object.keys(json as object).some((field) => field.startsWith('memory_'))) return parseSam2VideoConfig(json);
    throw new CheckpointError({
      code: 'E_MODEL_CONFIG',
      where: 'config.json',
      what: 'it is an image model, without memory of other frames: objects are followed by those of model_type sam2_video',
    });
  },
};

/**
 * Loads a SAM 2 with its memory (`sam2_video`). Strict: every weight of the file is used.
 *
 * @param model - a Hugging Face model directory, Meta's `.pt` file, or the name of a downloaded model.
 */
export async function loadSam2VideoParts(model: string, options: AdaptedOptions = {}): Promise<Sam2VideoParts> {
  const path = await resolveModel(model);
  const config = await readModelConfig(path, sam2VideoConfigs);
  const { imageSize: side } = config.promptEncoder;
  const imageProcessor = await ImageProcessor.load(await modelFolder(path), { size: { height: side, width: side } });
  return { model: await loadSam2Video(path, config, options), config, imageProcessor };
}

/** Loads only the model of {@link loadSam2VideoParts}. */
export async function loadSam2Video(path: string, config: Sam2VideoConfig, options: AdaptedOptions = {}): Promise<Sam2Video> {
  return prepared(new Sam2Video(config), path, { namings: [sam2AuthorsKeys] }, options);
}

/**
 * Loads a SAM, or a MedSAM, which is one.
 *
 * @param model - a Hugging Face model directory, the authors' `.pth` file, or the name of a downloaded model.
 */
export async function loadSamMasker(model: string, options: AdaptedOptions = {}): Promise<SamParts> {
  const path = await resolveModel(model);
  const { config } = await readModelConfig(path, samConfigs);
  return samParts(path, config, options);
}

/**
 * Loads a masker of any kind: SAM 2, or SAM including MedSAM.
 *
 * @param model - a Hugging Face model directory, the authors' checkpoint, or the name of a downloaded model.
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

/** Default image settings of SAM. */
export function samImages({ vision: { imageSize: side } }: SamConfig) {
  return { size: { longest_edge: side }, pad_size: { height: side, width: side } };
}

async function samParts(path: string, config: SamConfig, options: AdaptedOptions): Promise<SamParts> {
  const imageProcessor = await ImageProcessor.load(await modelFolder(path), samImages(config));
  return { type: 'sam', model: await loadSam(path, config, options), config, imageProcessor };
}

/** Loads only the model of {@link loadSam2Masker}. */
export async function loadSam2(path: string, config: Sam2Config, options: AdaptedOptions = {}): Promise<Sam2> {
  return prepared(new Sam2(config), path, { ignore: sam2MemoryKeys, namings: [sam2AuthorsKeys] }, options);
}

/** Loads only the SAM of {@link loadMasker}. */
export async function loadSam(path: string, config: SamConfig, options: AdaptedOptions = {}): Promise<Sam> {
  return prepared(new Sam(config), path, { ignore: samAuthorsUnusedKeys, namings: [samAuthorsKeys] }, options);
}

/** Folder of a detector's image settings: its adapter's, if it was trained with settings other than its model's. */
async function imageSettings(folder: string, adapter: string | undefined): Promise<string> {
  if (adapter === undefined) return folder;
  const own = await stat(join(adapter, 'preprocessor_config.json')).catch(() => undefined);
  return own === undefined ? folder : adapter;
}

/** Loads weights and adapter into a model, and disposes it on failure. */
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
