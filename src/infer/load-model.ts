import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  type LoadOptions,
  loadCheckpoint,
  modelFolder,
  openWeights,
  readJson,
  resolveModelDirectory,
  underOurKeys,
} from '../io/index.js';
import {
  GroundingDino,
  type GroundingDinoConfig,
  groundingDinoAuthorsKeys,
  groundingDinoAuthorsUnusedKeys,
  groundingDinoConfigFromShapes,
  groundingDinoTiedKeys,
  groundingDinoUnusedKeys,
  mmGroundingDinoSharedKeys,
  parseGroundingDinoConfig,
} from '../models/grounding-dino/index.js';
import { parseSam2Config, Sam2, type Sam2Config, sam2UnusedKeys } from '../models/sam2/index.js';
import type { Module } from '../nn/index.js';
import { ImageProcessor, PromptTokenizer } from '../processing/index.js';
import { CheckpointError, type Rng, SonogroundError } from '../util/index.js';
import { loadAdapter } from './adapter.js';

/** What a detector needs to turn an image and a prompt into tensors and back. */
export interface DetectorParts {
  readonly model: GroundingDino;
  readonly config: GroundingDinoConfig;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

/** What a masker needs. */
export interface MaskerParts {
  readonly model: Sam2;
  readonly config: Sam2Config;
  readonly imageProcessor: ImageProcessor;
}

export interface StartOptions {
  /** Draw the weights instead of reading them. */
  readonly random?: Rng;
}

export interface DetectorOptions extends StartOptions {
  /** Folder of a LoRA adapter. */
  readonly adapter?: string | undefined;
}

/** The image settings of Grounding DINO where a folder has none. */
const DETECTOR_IMAGES = { size: { shortest_edge: 800, longest_edge: 1333 } };

/** The folder or weight file that is meant: a path stays itself, a name stands for its folder in the download cache. */
export async function resolveModel(nameOrPath: string): Promise<string> {
  const found = await stat(nameOrPath).catch(() => undefined);
  if (found !== undefined) return nameOrPath;
  // What ships with the package is found from any folder.
  const shipped = fileURLToPath(new URL(`../../${nameOrPath}`, import.meta.url));
  if (/^weights[/\\][\w-]+$/.test(nameOrPath) && (await stat(shipped).catch(() => undefined)) !== undefined) return shipped;
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
export async function loadDetector(model: string, options: DetectorOptions = {}): Promise<DetectorParts> {
  const path = await resolveModel(model);
  const config = await readModelConfig(path, groundingDinoConfigs);
  const folder = await modelFolder(path);
  const [tokenizer, imageProcessor] = await Promise.all([
    PromptTokenizer.load(folder, config.maxTextLen),
    ImageProcessor.load(folder, DETECTOR_IMAGES),
  ]);
  return { model: await loadGroundingDino(path, config, options), config, tokenizer, imageProcessor };
}

/** The model of {@link loadDetector} alone. */
export async function loadGroundingDino(
  path: string,
  config: GroundingDinoConfig,
  { random, adapter }: DetectorOptions = {},
): Promise<GroundingDino> {
  const model = new GroundingDino(config);
  const tied = groundingDinoTiedKeys.filter(({ when }) => when === undefined || config[when]);
  return filled(model, async () => {
    const ignore = [...groundingDinoUnusedKeys, ...groundingDinoAuthorsUnusedKeys];
    const shared = config.scaledLogits ? mmGroundingDinoSharedKeys : [];
    await fill(model, path, { ignore, tied, shared, namings: [groundingDinoAuthorsKeys] }, random);
    if (adapter !== undefined) await loadAdapter(model, adapter, { tied });
  });
}

/**
 * Reads a SAM 2 (`sam2`, or the image part of `sam2_video`).
 *
 * @param model - a Hugging Face model directory, or the name of a downloaded model.
 */
export async function loadMasker(model: string, options: StartOptions = {}): Promise<MaskerParts> {
  const dir = await resolveModel(model);
  const config = await readModelConfig(dir, { sam2: parseSam2Config, sam2_video: parseSam2Config });
  const { imageSize: side } = config.promptEncoder;
  const imageProcessor = await ImageProcessor.load(await modelFolder(dir), { size: { height: side, width: side } });
  return { model: await loadSam2(dir, config, options), config, imageProcessor };
}

/** The model of {@link loadMasker} alone. */
export async function loadSam2(dir: string, config: Sam2Config, { random }: StartOptions = {}): Promise<Sam2> {
  const model = new Sam2(config);
  return filled(model, () => fill(model, dir, { ignore: sam2UnusedKeys }, random));
}

/** Frees a model whose weights could not be read. */
async function filled<M extends Module>(model: M, body: () => Promise<void>): Promise<M> {
  try {
    await body();
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Reads `config.json` of a model directory, or beside a weight file, with the reader of its `model_type`. For the authors'
 * Grounding DINO files, which come without one, the shapes of the weights tell.
 *
 * @throws CheckpointError naming the file when it is missing, of another type, or does not describe such a model.
 */
export async function readModelConfig<C>(path: string, readers: Readonly<Record<string, (json: unknown) => C>>): Promise<C> {
  const folder = await modelFolder(path);
  const file = join(folder, 'config.json');
  const present = (await stat(file).catch(() => undefined)) !== undefined;
  const json = (present ? undefined : await configOfAuthors(path, readers)) ?? (await readJson(file));
  const type = String((json as { model_type?: unknown } | null)?.model_type);
  const read = readers[type];
  if (read === undefined)
    throw new CheckpointError({
      where: file,
      what: `expected model_type ${Object.keys(readers).join(' or ')}, got ${type}`,
      fix: 'Name the folder of such a model',
    });
  try {
    return read(json);
  } catch (cause) {
    throw new CheckpointError({ where: file, what: complaint(cause), fix: 'Copy or download it again', cause });
  }
}

/** What the shapes of weights in the authors' naming say; undefined if there are none. */
async function configOfAuthors(path: string, readers: Readonly<Record<string, unknown>>): Promise<unknown> {
  if (!('grounding-dino' in readers)) return undefined;
  const weights = await openWeights(path).catch(() => undefined); // a missing config.json is the plainer complaint
  try {
    const ours = weights && underOurKeys(weights, [groundingDinoAuthorsKeys]);
    return ours === undefined || ours === weights ? undefined : groundingDinoConfigFromShapes(ours.tensors);
  } finally {
    await weights?.close();
  }
}

/** What a reader said about a field, without where it thought it was. */
function complaint(cause: unknown): string {
  if (cause instanceof SonogroundError) return cause.what.replaceAll('Invalid input: ', '');
  if (!(cause instanceof z.ZodError)) throw cause;
  return cause.issues.map(({ path, message }) => `${path.join('.')}: ${message.replace(/^Invalid input: /, '')}`).join('; ');
}

async function fill(model: Module, dir: string, options: LoadOptions, random: Rng | undefined): Promise<void> {
  if (random !== undefined) model.initialise(random);
  else await loadCheckpoint(model, dir, options);
}
