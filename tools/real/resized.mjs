/**
 * Copies a model folder, changing the size of its square images. The weights are unchanged: Swin's and Hiera's position
 * embeddings fit any size.
 *
 *   node tools/real/resized.mjs weights/nano-sam2 SIDE runs/start-masker
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { changeConfig } from './config-json.mjs';

const [from, given, to] = process.argv.slice(2);
const side = Number(given);
if (to === undefined || !Number.isInteger(side) || side % 32 !== 0)
  throw new Error('usage: node tools/real/resized.mjs FROM SIDE TO, with a side that 32 divides');
await cp(from, to, { recursive: true });

await changeConfig(join(to, 'config.json'), (config) => {
  if (config.model_type !== 'sam2') return;
  const { vision_config: vision, prompt_encoder_config: prompt } = config;
  const scale = side / prompt.image_size;
  prompt.image_size = side;
  vision.backbone_config.image_size = [side, side];
  vision.backbone_feature_sizes = vision.backbone_feature_sizes.map((size) => size.map((value) => value * scale));
  if (vision.image_size !== undefined) vision.image_size = side;
});
await changeConfig(join(to, 'preprocessor_config.json'), (settings) => {
  settings.size = { height: side, width: side };
  if (settings.pad_size != null) settings.pad_size = { height: side, width: side };
  if (settings.mask_size != null) settings.mask_size = { height: side / 4, width: side / 4 };
});
