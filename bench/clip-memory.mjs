/**
 * Memory over a long clip: two objects, marked by boxes on the first frame, are tracked through noise in which two discs move.
 *
 *   node bench/clip-memory.mjs [MODEL] [--frames 1000] [--side 128]
 *
 * MODEL is a folder that holds a memory as well (default: test/fixtures/sam2-video; tools/real/join-memory.mjs joins the shipped
 * masker and its memory). Printed at some frames: tensors and their bytes, and the memory of the process, which also depends on when
 * JavaScript's garbage was collected last.
 */
import { parseArgs } from 'node:util';
import { dist, prepare } from './lib/dist.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { frames: { type: 'string', default: '1000' }, side: { type: 'string', default: '128' } },
});
const [model = 'test/fixtures/sam2-video'] = positionals;
const [frames, side] = [Number(values.frames), Number(values.side)];
if (!(Number.isInteger(frames) && frames > 1 && Number.isInteger(side) && side >= 32)) {
  console.error('clip-memory: expected --frames of at least 2 and --side of at least 32 pixels');
  process.exit(2);
}
await prepare();
const { initBackend, tf } = await dist('backend/index.js');
const { loadSam2VideoParts } = await dist('pretrained/index.js');
const { Sam2VideoPredictor } = await dist('infer/index.js');
const { Rng } = await dist('util/index.js');

await initBackend();
const RADIUS = side / 8;
/** Centres of the discs in a frame. */
const centres = (index) => [
  [0.3 * side + 0.08 * side * Math.sin(index / 15), 0.35 * side + 0.05 * side * Math.cos(index / 22)],
  [0.7 * side + 0.06 * side * Math.cos(index / 18), 0.6 * side + 0.08 * side * Math.sin(index / 13)],
];
const frame = async (index) => {
  const rng = Rng.seeded(index);
  const discs = centres(index);
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < side * side; i++) {
    const inside = discs.some(([x, y]) => ((i % side) - x) ** 2 + (Math.floor(i / side) - y) ** 2 < RADIUS ** 2);
    data.fill((inside ? 150 : 40) + rng.int(60), 3 * i, 3 * i + 3);
  }
  return { width: side, height: side, data };
};

const predictor = new Sam2VideoPredictor(await loadSam2VideoParts(model));
const tracker = await predictor.track({ name: 'moving discs', frames, width: side, height: side, frame });
for (const [object, [x, y]] of centres(0).entries())
  await tracker.prompt({ frame: 0, object, box: [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS] });
const shown = new Set([20, 50, 100, 200, 500, 1000, 2000, 5000, frames].map((count) => count - 1));
let visible = 0;
for await (const { frame: index, objects } of tracker.propagate()) {
  visible += objects.filter(({ objectScore }) => objectScore > 0.5).length;
  if (!shown.has(index)) continue;
  const { numTensors, numBytes } = tf.memory();
  const megabytes = (process.memoryUsage.rss() / 1e6).toFixed(0);
  console.log(`after ${index + 1} frames: ${numTensors} tensors of ${numBytes} bytes, ${megabytes} MB in all`);
}
console.log(`objects visible: ${visible} of ${2 * frames}`);
tracker.dispose();
predictor.dispose();
