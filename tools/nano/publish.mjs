/**
 * Copies the weights of a run to the shipped model, in half precision.
 *
 *   node tools/nano/publish.mjs runs/nano-sam2/best weights/nano-sam2
 */
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../../dist/weights/formats/index.js';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('usage: publish.mjs FROM TO');
const { arrays } = await readSafetensors(join(from, 'model.safetensors'));
await writeSafetensors(join(to, 'model.safetensors'), arrays, { metadata: { format: 'pt' }, half: true });
process.stdout.write(`${arrays.size} arrays\n`);
