import {
  BiomedParse,
  type BiomedParseConfig,
  biomedParseAuthorsKeys,
  biomedParseUnusedKeys,
  parseBiomedParseConfig,
} from '../models/biomed-parse/index.js';
import { type MaskDistributions, readMaskDistributions } from '../processing/index.js';
import { ClipTokenizer } from '../prompts/index.js';
import type { Rng } from '../util/index.js';
import { loadCheckpoint, modelFolder } from '../weights/index.js';
import { resolveModel } from './load-model.js';
import { readModelConfig } from './model-config.js';
import { tokenizerFolder } from './tokenizer-folder.js';

/** A BiomedParse with its tokenizer. */
export interface BiomedParseParts {
  readonly model: BiomedParse;
  readonly config: BiomedParseConfig;
  readonly tokenizer: ClipTokenizer;
  /** Distributions of what right masks show. Absent: there is no `target_dist.json`. */
  readonly distributions?: MaskDistributions | undefined;
}

/** CLIP's tokenizer, which another repository publishes. */
const TOKENIZER = { files: ['tokenizer.json', 'merges.txt'], download: 'clip-tokenizer' } as const;

/** Parsers of BiomedParse configurations, by `model_type`. */
export const biomedParseConfigs = { biomedparse: parseBiomedParseConfig };

/**
 * Loads a BiomedParse.
 *
 * @param path - a model directory, the published `.pt` file, or the name of a downloaded model; with CLIP's `tokenizer.json` or
 * `merges.txt` beside it or downloaded, and for p-values the published `target_dist.json` beside it.
 * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
 */
export async function loadBiomedParse(path: string): Promise<BiomedParseParts> {
  const place = await resolveModel(path);
  const config = await readModelConfig(place, biomedParseConfigs);
  const { vocabSize, maxPositionEmbeddings: longest } = config.text;
  const folder = await modelFolder(place);
  const tokenizer = await ClipTokenizer.load(await tokenizerFolder(folder, TOKENIZER), { vocabSize, longest });
  const distributions = await readMaskDistributions(folder);
  return { model: await loadBiomedParseModel(place, config), config, tokenizer, distributions };
}

/** Loads only the model of {@link loadBiomedParse}. */
export async function loadBiomedParseModel(path: string, config: BiomedParseConfig): Promise<BiomedParse> {
  const model = new BiomedParse(config);
  try {
    await loadCheckpoint(model, path, { namings: [biomedParseAuthorsKeys], ignore: biomedParseUnusedKeys });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * A BiomedParse of the published size with random weights, to try out everything around it without the published file. Its
 * tokenizer has the bytes of a text for tokens.
 */
export function randomBiomedParse(rng: Rng): BiomedParseParts {
  const config = parseBiomedParseConfig({});
  const model = new BiomedParse(config);
  model.initialise(rng);
  return { model, config, tokenizer: ClipTokenizer.ofBytes(config.text.maxPositionEmbeddings) };
}
