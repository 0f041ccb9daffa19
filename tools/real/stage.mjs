/**
 * Keeps a detector in training small: without its frozen text encoder, in half precision. With --join it is a whole model again, with
 * the text encoder and tokenizer of another one, to be trained further.
 *
 *   node tools/real/stage.mjs runs/lite0/best tools/real/stages/detector-lite0
 *   node tools/real/stage.mjs --join tools/real/stages/detector-lite0 weights/ultrasound-detector runs/start-lite0-2
 */
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';

const {
  positionals,
  values: { join: joined },
} = parseArgs({ allowPositionals: true, options: { join: { type: 'boolean', default: false } } });
if (positionals.length !== (joined ? 3 : 2)) {
  process.stderr.write('usage: node tools/real/stage.mjs MODEL STAGE, or --join STAGE MODEL TO\n');
  process.exit(2);
}

const TEXT = 'model.text_backbone.';
const SETTINGS = ['config.json', 'preprocessor_config.json'];
const arraysOf = async (folder, wanted) =>
  [...(await readSafetensors(join(folder, 'model.safetensors'))).arrays].filter(([name]) => name.startsWith(TEXT) === wanted);

const [from, to] = joined ? [positionals[0], positionals[2]] : positionals;
const arrays = new Map(await arraysOf(from, false));
if (joined) {
  await cp(positionals[1], to, { recursive: true, dereference: true });
  for (const [name, array] of await arraysOf(positionals[1], true)) arrays.set(name, array);
} else await mkdir(to, { recursive: true });
await writeSafetensors(join(to, 'model.safetensors'), arrays, { metadata: { format: 'pt' }, half: !joined });
for (const name of SETTINGS) await copyFile(join(from, name), join(to, name));
process.stdout.write(`${arrays.size} arrays\n`);
