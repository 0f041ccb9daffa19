import {
  BiomedClip,
  type BiomedClipConfig,
  biomedClipHuggingFaceKeys,
  biomedClipOpenClipKeys,
  biomedClipUnusedKeys,
  parseBiomedClipConfig,
} from '../models/biomed-clip/index.js';
import { SentenceTokenizer } from '../prompts/index.js';
import type { Rng } from '../util/index.js';
import { loadCheckpoint, modelFolder } from '../weights/index.js';
import { resolveModel } from './load-model.js';
import { readModelConfig } from './model-config.js';
import { tokenizerFolder } from './tokenizer-folder.js';

/** A BiomedCLIP with its tokenizer. */
export interface BiomedClipParts {
  readonly model: BiomedClip;
  readonly config: BiomedClipConfig;
  readonly tokenizer: SentenceTokenizer;
}

interface LoadOptions {
  /** Draw the weights instead of reading them. */
  readonly random?: Rng;
}

/** Tokens of the longest text that BiomedCLIP was trained on. */
export const LONGEST_TEXT = 256;

/** PubMedBERT's tokenizer, which is in BiomedCLIP's repository, and not beside files that others publish. */
const TOKENIZER = { files: ['tokenizer.json', 'vocab.txt'], download: 'biomedclip' } as const;

/** Parsers of BiomedCLIP configurations, by `model_type`. */
export const biomedClipConfigs = { clip: parseBiomedClipConfig };

/**
 * Loads a BiomedCLIP.
 *
 * @param path - a model directory or weight file, under open_clip's names or Hugging Face's, with `tokenizer.json` or `vocab.txt`
 * beside it or downloaded; or the name of a downloaded model.
 * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
 */
export async function loadBiomedClip(path: string, options: LoadOptions = {}): Promise<BiomedClipParts> {
  const place = await resolveModel(path);
  const config = await readModelConfig(place, biomedClipConfigs);
  const longest = Math.min(LONGEST_TEXT, config.text.maxPositionEmbeddings);
  const tokenizer = await SentenceTokenizer.load(await tokenizerFolder(await modelFolder(place), TOKENIZER), longest);
  return { model: await loadBiomedClipModel(place, config, options), config, tokenizer };
}

/** Loads only the model of {@link loadBiomedClip}. */
export async function loadBiomedClipModel(
  path: string,
  config: BiomedClipConfig,
  { random }: LoadOptions = {},
): Promise<BiomedClip> {
  const model = new BiomedClip(config);
  const namings = [biomedClipOpenClipKeys, biomedClipHuggingFaceKeys];
  try {
    if (random === undefined) await loadCheckpoint(model, path, { ignore: biomedClipUnusedKeys, namings });
    else model.initialise(random);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
