/**
 * Tracks two objects through a clip and writes the logits of all masks: node tools/parity/track-clip.mjs FOLDER.
 *
 * FOLDER holds a model, `frames.bin` and `clip.json`, and gets `out.safetensors` and `seconds.json`: processor seconds by frame.
 */

import { open, readFile, writeFile } from 'node:fs/promises';
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

const arrays = new Map();
const seconds = [];
// The masks of answers are binary: their logits are taken on the way.
let logits = [];
tracker.toClip = ({ width, height, data }) => {
  logits.push({ dtype: 'float32', shape: [height, width], data: Float32Array.from(data) });
  return { width, height, data: new Uint8Array(width * height) };
};
let start = process.cpuUsage();
for await (const { frame: index, objects } of tracker.propagate()) {
  const { user, system } = process.cpuUsage(start);
  seconds.push((user + system) / 1e6);
  for (const [i, { object }] of objects.entries()) arrays.set(`${index}.${object}`, logits[i]);
  logits = [];
  start = process.cpuUsage();
}
await writeSafetensors(join(folder, 'out.safetensors'), arrays);
await writeFile(join(folder, 'seconds.json'), JSON.stringify(seconds));
await file.close();
process.exit(0);
