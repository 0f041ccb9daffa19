import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BiomedParse, parseBiomedParseConfig } from '../../src/models/biomed-parse/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';

const CONFIG = {
  model_type: 'biomedparse',
  image_size: 64,
  hidden_size: 12,
  mask_size: 8,
  num_attention_heads: 2,
  intermediate_size: 16,
  encoder_layers: 1,
  decoder_layers: 3,
  num_queries: 7,
  norm_groups: 3,
  backbone_config: { embed_dim: 4, depths: [1, 1, 1, 1], focal_levels: [2, 2, 2, 2] },
  text_config: {
    vocab_size: 514,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 20,
  },
};

/** Writes a BiomedParse of random weights, whose tokens are the bytes of a text, into a folder. It needs a backend. */
export async function writeTinyBiomedParse(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const model = new BiomedParse(parseBiomedParseConfig(CONFIG));
  model.initialise(Rng.seeded(5));
  await saveCheckpoint(model, join(dir, 'model.safetensors'));
  model.dispose();
  await writeFile(join(dir, 'config.json'), JSON.stringify(CONFIG));
  await writeFile(join(dir, 'merges.txt'), '#version: 0.2\n');
}
