/**
 * Copies a Grounding DINO folder, making its Swin backbone twice as wide and, with --depths, deeper. The result computes the same
 * function as the original and continues to learn from there (Net2Net, Chen et al. 2016): each channel and head gets a copy;
 * weights that read a channel are split between the two at random, so that training can tell them apart; and the output
 * projections of an added block are zero.
 *
 *   node tools/real/grown.mjs FROM TO [--depths 2,2,6,2] [--seed 1]
 */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng } from '../../dist/util/index.js';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';
import { changeConfig } from './config-json.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { depths: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const [from, to] = positionals;
if (to === undefined) stop('usage: node tools/real/grown.mjs FROM TO [--depths 2,2,6,2] [--seed 1]');
const config = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'));
const { backbone_config: backbone } = config;
const depths = values.depths?.split(',').map(Number) ?? backbone.depths;
if (depths.length !== backbone.depths.length || depths.some((depth, i) => !(depth >= backbone.depths[i])))
  stop(`--depths: expected ${backbone.depths.length} depths, none below ${backbone.depths.join(',')}`);

const rng = Rng.seeded(Number(values.seed));
const BACKBONE = 'model.backbone.conv_encoder.model.';
const { arrays } = await readSafetensors(join(from, 'model.safetensors'));
const grown = new Map();
for (const [name, array] of arrays) grown.set(name, grow(name, array));
for (const [stage, depth] of depths.entries())
  for (let block = backbone.depths[stage]; block < depth; block++) addBlock(stage, block);

await cp(from, to, { recursive: true, dereference: true });
await writeSafetensors(join(to, 'model.safetensors'), grown, { metadata: { format: 'pt' } });
await changeConfig(join(to, 'config.json'), ({ backbone_config: larger }) => {
  larger.embed_dim *= 2;
  larger.hidden_size *= 2;
  larger.num_heads = larger.num_heads.map((heads) => heads * 2);
  larger.depths = depths;
});
const count = (all) => [...all].reduce((sum, [name, { data }]) => sum + (/text_backbone/.test(name) ? 0 : data.length), 0);
process.stdout.write(`${count(arrays)} parameters without the text backbone before, ${count(grown)} now\n`);

function grow(name, array) {
  if (/^model\.input_proj_vision\.\d+\.0\.weight$/.test(name)) return doubled(array, { inputs: true });
  if (!name.startsWith(BACKBONE) || name.endsWith('relative_position_index')) return array;
  if (name.endsWith('relative_position_bias_table')) return columnsTwice(array);
  if (name.endsWith('patch_embeddings.projection.weight')) return doubled(array, { outputs: true });
  if (/downsample\.(norm|reduction)/.test(name)) return merged(name, array);
  return doubled(array, { outputs: true, inputs: array.shape.length === 2 });
}

/** Doubles the outputs (dimension 0) and inputs (dimension 1) of a weight, the copies after the originals. */
function doubled({ shape, data, ...rest }, { outputs = false, inputs = false }, inputGroups = 1) {
  const [rows, columns = 1, ...kernel] = shape;
  const inner = kernel.reduce((product, size) => product * size, 1);
  const group = columns / inputGroups;
  const times = { rows: outputs ? 2 : 1, columns: inputs ? 2 : 1 };
  const out = new Float32Array(data.length * times.rows * times.columns);
  const width = columns * times.columns;
  for (let r = 0; r < rows * times.rows; r++)
    for (let c = 0; c < columns; c++) {
      const at = Math.floor(c / group) * group * times.columns + (c % group);
      const share = rng.normal(0.5, 0.5);
      for (let k = 0; k < inner; k++) {
        const value = data[((r % rows) * columns + c) * inner + k];
        if (!inputs) out[(r * width + c) * inner + k] = value;
        else {
          out[(r * width + at) * inner + k] = value * share;
          out[(r * width + at + group) * inner + k] = value * (1 - share);
        }
      }
    }
  const newShape = shape.length === 1 ? [rows * times.rows] : [rows * times.rows, width, ...kernel];
  return { ...rest, shape: newShape, data: out };
}

/** Patch merging reads four neighbours of C channels each, one after the other. */
function merged(name, array) {
  if (name.endsWith('reduction.weight')) return doubled(array, { outputs: true, inputs: true }, 4);
  const group = array.shape[0] / 4;
  const out = new Float32Array(array.data.length * 2);
  for (let i = 0; i < out.length; i++) out[i] = array.data[Math.floor(i / (2 * group)) * group + (i % group)];
  return { ...array, shape: [array.shape[0] * 2], data: out };
}

function columnsTwice({ shape: [rows, columns], data, ...rest }) {
  const out = new Float32Array(data.length * 2);
  for (let i = 0; i < out.length; i++) out[i] = data[Math.floor(i / (2 * columns)) * columns + (i % columns)];
  return { ...rest, shape: [rows, 2 * columns], data: out };
}

function addBlock(stage, block) {
  const prefix = `${BACKBONE}encoder.layers.${stage}.blocks.`;
  for (const [name, { shape, data, ...rest }] of [...grown]) {
    if (!name.startsWith(`${prefix}0.`)) continue;
    const fresh = new Float32Array(data.length);
    if (name.endsWith('relative_position_index')) fresh.set(data);
    else if (/layernorm_\w+\.weight$/.test(name)) fresh.fill(1);
    else if (/(query|key|value|intermediate\.dense)\.weight$/.test(name))
      for (let i = 0; i < fresh.length; i++) fresh[i] = rng.normal() / Math.sqrt(shape[1]);
    grown.set(name.replace(`${prefix}0.`, `${prefix}${block}.`), { ...rest, shape, data: name.endsWith('index') ? data : fresh });
  }
}

function stop(message) {
  console.error(message);
  process.exit(2);
}
