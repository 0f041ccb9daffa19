/**
 * Copies a Grounding DINO folder so that a given score becomes another one, by temperature scaling (Guo et al. 2017): all logits are
 * multiplied by one factor, so boxes and their order stay the same. The score that separates best on validation images can thus
 * become the default threshold.
 *
 *   node tools/real/tempered.mjs FROM TO --score 0.25 --as 0.3
 *
 * A logit is the product of a query and a token of the feature enhancer's text. The factor goes into the last layer norm of that
 * text, and is taken back where the decoder attends to it.
 */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { score: { type: 'string' }, as: { type: 'string', default: '0.3' } },
});
const [from, to] = positionals;
const logit = (score) => Math.log(score / (1 - score));
const factor = logit(Number(values.as)) / logit(Number(values.score));
if (to === undefined || !(factor > 0 && Number.isFinite(factor))) {
  const why = 'with scores between 0 and 1, both below 0.5 or both above';
  process.stderr.write(`tempered: usage: node tools/real/tempered.mjs FROM TO --score S --as S, ${why}\n`);
  process.exit(2);
}

const { encoder_layers: layers, class_embed_bias: biased } = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'));
const { arrays } = await readSafetensors(join(from, 'model.safetensors'));
if (biased === true || [...arrays.keys()].some((name) => /class_embed\.\d+\.bias$/.test(name))) {
  process.stderr.write(`tempered: ${from}: its logits have a bias (MM Grounding DINO), which this does not scale\n`);
  process.exit(2);
}
const last = `model.encoder.layers.${layers - 1}.text_enhancer_layer.layer_norm_after.`;
const reader = /^model\.decoder\.layers\.\d+\.encoder_attn_text\.(key|value)\.weight$/;
const scaled = new Map(
  [...arrays].map(([name, array]) => {
    const by = name.startsWith(last) ? factor : reader.test(name) ? 1 / factor : 1;
    return [name, by === 1 ? array : { ...array, data: Float32Array.from(array.data, (value) => value * by) }];
  }),
);
await cp(from, to, { recursive: true, dereference: true });
await writeSafetensors(join(to, 'model.safetensors'), scaled, { metadata: { format: 'pt' } });
process.stdout.write(`logits times ${factor.toFixed(4)}: a score of ${values.score} is now ${values.as}\n`);
