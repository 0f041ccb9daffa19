/**
 * Copies the weights of a run to the shipped model, in half precision, its config.json and its preprocessor_config.json.
 *
 *   node tools/nano/publish.mjs runs/nano-sam2/best weights/nano-sam2
 *   node tools/nano/publish.mjs runs/stage-5/best weights/ultrasound-detector --float8 model.text_backbone.
 *
 * --float8 PREFIX: matrices whose names start with PREFIX take eight bits a number (F8_E4M3).
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';

const {
  positionals: [from, to],
  values: { float8 },
} = parseArgs({ allowPositionals: true, options: { float8: { type: 'string' } } });
if (from === undefined || to === undefined) throw new Error('usage: publish.mjs FROM TO [--float8 PREFIX]');
const { arrays } = await readSafetensors(join(from, 'model.safetensors'));
const isSmall = (name) => float8 !== undefined && name.startsWith(float8) && arrays.get(name).shape.length > 1;
await writeSafetensors(join(to, 'model.safetensors'), arrays, { metadata: { format: 'pt' }, half: true, float8: isSmall });
for (const name of ['config.json', 'preprocessor_config.json']) await copyFile(join(from, name), join(to, name));
process.stdout.write(`${arrays.size} arrays\n`);
