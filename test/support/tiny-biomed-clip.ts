import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBiomedClipConfig } from '../../src/models/biomed-clip/index.js';
import { loadBiomedClipModel } from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';

const CONFIG = {
  model_type: 'clip',
  projection_dim: 8,
  vision_config: {
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 3,
    num_attention_heads: 2,
    image_size: 32,
    patch_size: 8,
  },
  text_config: {
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    vocab_size: 8,
    max_position_embeddings: 6,
  },
  text_projection_config: { intermediate_size: 9 },
};

/** Writes a BiomedCLIP of random weights, whose vocabulary is "a lesion", into a folder. It needs a backend. */
export async function writeTinyBiomedClip(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const model = await loadBiomedClipModel('', parseBiomedClipConfig(CONFIG), { random: Rng.seeded(5) });
  await saveCheckpoint(model, join(dir, 'model.safetensors'));
  model.dispose();
  await writeFile(join(dir, 'config.json'), JSON.stringify(CONFIG));
  await writeFile(join(dir, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nlesion\n.\n##s\n');
}
