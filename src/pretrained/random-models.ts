import { packageFile } from '../config/index.js';
import { BiomedClip, parseBiomedClipConfig } from '../models/biomed-clip/index.js';
import { parseSamConfig, Sam } from '../models/sam/index.js';
import { parseSamusConfig, Samus } from '../models/samus/index.js';
import { parseUniverSegConfig, UniverSeg } from '../models/universeg/index.js';
import type { Module } from '../nn/index.js';
import { ImageProcessor } from '../processing/index.js';
import { SentenceTokenizer } from '../prompts/index.js';
import type { Rng } from '../util/index.js';
import { type BiomedClipParts, LONGEST_TEXT } from './load-biomed-clip.js';
import { type SamParts, samImages } from './load-model.js';
import type { SamusParts } from './load-samus.js';
import type { UniverSegParts } from './load-universeg.js';
import { nanoModels } from './shipped-models.js';

/** Published sizes of SAM's image encoder, as far as methods use them. */
const SAM_ENCODERS = {
  base: {},
  huge: { hidden_size: 1280, num_hidden_layers: 32, num_attention_heads: 16, global_attn_indexes: [7, 15, 23, 31] },
};

/** A published size of SAM. */
export type SamSize = keyof typeof SAM_ENCODERS;

/** Widths of the published UniverSeg. */
const UNIVERSEG = { encoder_blocks: [64, 64, 64, 64] };

/** A SAMUS of the published size with random weights, to try out everything around it without the published file. */
export function randomSamus(rng: Rng): SamusParts {
  const config = parseSamusConfig({});
  return { model: initialised(new Samus(config), rng), config };
}

/** A SAM of a published size with random weights; see {@link randomSamus}. */
export function randomSam(size: SamSize, rng: Rng): SamParts {
  const config = parseSamConfig({ vision_config: SAM_ENCODERS[size] });
  const imageProcessor = ImageProcessor.of(samImages(config));
  return { type: 'sam', model: initialised(new Sam(config), rng), config, imageProcessor };
}

/** A UniverSeg of the published size with random weights; see {@link randomSamus}. */
export function randomUniverSeg(rng: Rng): UniverSegParts {
  const config = parseUniverSegConfig(UNIVERSEG);
  return { model: initialised(new UniverSeg(config), rng), config };
}

/** A BiomedCLIP of the published size with random weights, and a small vocabulary in place of PubMedBERT's; see {@link randomSamus}. */
export async function randomBiomedClip(rng: Rng): Promise<BiomedClipParts> {
  const config = parseBiomedClipConfig({ text_config: {}, text_projection_config: {} });
  const tokenizer = await SentenceTokenizer.load(packageFile(nanoModels.detector), LONGEST_TEXT, 'any');
  return { model: initialised(new BiomedClip(config), rng), config, tokenizer };
}

function initialised<M extends Module>(model: M, rng: Rng): M {
  model.initialise(rng);
  return model;
}
