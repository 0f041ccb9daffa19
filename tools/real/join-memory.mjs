/**
 * Joins a masker of images and the memory that was trained for it: a masker that follows objects through clips.
 *
 *   node tools/real/join-memory.mjs weights/ultrasound-masker weights/ultrasound-memory runs/ultrasound-tracker
 *   npm run infer -- --track --masker runs/ultrasound-tracker …
 *
 * With --split, the other way round: writes to MEMORY what a trained masker has beyond the one of images, in half precision.
 *
 *   node tools/real/join-memory.mjs --split weights/ultrasound-masker weights/ultrasound-memory runs/ultrasound-memory/best
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';

const {
  positionals: [images, memory, whole],
  values: { split },
} = parseArgs({ allowPositionals: true, options: { split: { type: 'boolean', default: false } } });
if (whole === undefined) throw new Error('usage: join-memory.mjs [--split] MASKER MEMORY WHOLE');

const arraysOf = async (folder) => (await readSafetensors(join(folder, 'model.safetensors'))).arrays;
const own = await arraysOf(images);
/** All numbers of images are the same in both, to half precision. */
const isSame = (a, b) => a.data.every((value, i) => Math.abs(value - b.data[i]) <= 1e-3 * Math.abs(value) + 1e-6);

let arrays;
if (split) {
  const trained = await arraysOf(whole);
  arrays = new Map([...trained].filter(([name, array]) => !own.has(name) || !isSame(array, own.get(name))));
} else arrays = new Map([...own, ...(await arraysOf(memory))]);
const [from, to] = split ? [whole, memory] : [memory, whole];
await mkdir(to, { recursive: true });
await writeSafetensors(join(to, 'model.safetensors'), arrays, { metadata: { format: 'pt' }, half: true });
await copyFile(join(from, 'config.json'), join(to, 'config.json'));
if (!split) await copyFile(join(images, 'preprocessor_config.json'), join(to, 'preprocessor_config.json'));
process.stdout.write(`${arrays.size} arrays\n`);
