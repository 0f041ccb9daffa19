/**
 * Tracks two objects through a clip and writes the logits of all masks: node tools/parity/track-clip.mjs FOLDER.
 *
 * FOLDER holds a model, `frames.bin` and `clip.json`, and gets a file for each frame, `tracked/0.safetensors` and so on, which says how
 * many processor seconds it took.
 */

import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../../scripts/bootstrap.mjs';
import { build } from '../../scripts/lib/build.mjs';
import { root } from '../../scripts/lib/places.mjs';
import { quietTensorflow } from '../../scripts/lib/quiet.mjs';

const [folder] = process.argv.slice(2);
await bootstrap();
await build();
quietTensorflow();
const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { initBackend } = await dist('backend/index.js');
const { loadSam2VideoParts } = await dist('pretrained/index.js');
const { Sam2VideoPredictor } = await dist('infer/index.js');
const { writeSafetensors } = await dist('weights/formats/index.js');

await initBackend();
const { frames, side, boxes } = JSON.parse(await readFile(join(folder, 'clip.json'), 'utf8'));
const file = await open(join(folder, 'frames.bin'));
const frame = async (index) => {
  const data = new Uint8Array(side * side * 3);
  await file.read(data, 0, data.length, index * data.length);
  return { width: side, height: side, data };
};
const predictor = new Sam2VideoPredictor(await loadSam2VideoParts(folder));
const tracker = await predictor.track({ name: folder, frames, width: side, height: side, frame });
for (const [object, box] of Object.entries(boxes)) await tracker.prompt({ frame: 0, object: Number(object), box });

await mkdir(join(folder, 'tracked'), { recursive: true });
// The masks of answers are binary: their logits are taken on the way.
let logits = [];
tracker.toClip = ({ width, height, data }) => {
  logits.push({ dtype: 'float32', shape: [height, width], data: Float32Array.from(data) });
  return { width, height, data: new Uint8Array(width * height) };
};
let start = process.cpuUsage();
for await (const { frame: index, objects } of tracker.propagate()) {
  const { user, system } = process.cpuUsage(start);
  const arrays = new Map(objects.map(({ object }, i) => [String(object), logits[i]]));
  arrays.set('seconds', { dtype: 'float32', shape: [1], data: Float32Array.of((user + system) / 1e6) });
  await writeSafetensors(join(folder, 'tracked', `${index}.safetensors`), arrays);
  logits = [];
  start = process.cpuUsage();
}
await file.close();
process.exit(0);
