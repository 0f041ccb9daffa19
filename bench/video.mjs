/**
 * Tracking two objects through a clip, beside transformers' `Sam2VideoModel`: SAM 2.1 at full size with random weights.
 *
 *   node bench/video.mjs [tiny|base-plus] [frames] [threads]
 *
 * Needs the reference's Python in SONOGROUND_REFERENCE_PYTHON. Both take turns frame by frame. Printed: the median over the frames whose
 * memory is full, as frames per second and per processor second, which other work on the machine disturbs least; the median and the
 * quartiles of the ratios of frames that followed each other; and the largest difference of the last frame's logits.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dist, prepare } from './lib/dist.mjs';

/** Frames before a memory of seven is full. */
const WARM = 7;

const [size = 'tiny', wish = '12', threads = '2'] = process.argv.slice(2);
const frames = Number(wish);
const python = process.env.SONOGROUND_REFERENCE_PYTHON;
if (!['tiny', 'small', 'base-plus', 'large'].includes(size) || !(frames > WARM + 1) || python === undefined) {
  console.error(
    `video: expected a size, more than ${WARM + 1} frames, and SONOGROUND_REFERENCE_PYTHON. Run \`node bench/video.mjs tiny 12\``,
  );
  process.exit(2);
}
await prepare();
const folder = await mkdtemp(join(tmpdir(), 'sonoground-video-'));
const script = fileURLToPath(new URL('video.py', import.meta.url));
const child = spawn(python, [script, size, threads, folder, wish], { stdio: ['pipe', 'pipe', 'ignore'] });
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const answer = async () => JSON.parse((await lines.next()).value ?? '{"seconds":null}');
await answer();

const { initBackend, tf } = await dist('backend/index.js');
const { loadSam2VideoParts } = await dist('pretrained/index.js');
const { Sam2VideoPredictor } = await dist('infer/index.js');
const { readSafetensors } = await dist('weights/formats/index.js');
await initBackend();
const { side, boxes } = JSON.parse(await readFile(join(folder, 'clip.json'), 'utf8'));
const file = await open(join(folder, 'frames.bin'));
const frame = async (index) => {
  const data = new Uint8Array(side * side * 3);
  await file.read(data, 0, data.length, index * data.length);
  return { width: side, height: side, data };
};
const predictor = new Sam2VideoPredictor(await loadSam2VideoParts(folder));
const tracker = await predictor.track({ name: 'clip', frames, width: side, height: side, frame });
for (const [object, box] of Object.entries(boxes)) await tracker.prompt({ frame: 0, object: Number(object), box });
let last = [];
const toClip = tracker.toClip;
tracker.toClip = (logits) => {
  last.push(logits);
  return toClip(logits);
};
const steps = tracker.propagate()[Symbol.asyncIterator]();
const processor = { ours: [], theirs: [] };
const clock = { ours: [], theirs: [] };
for (let i = 0; i < frames; i++) {
  last = [];
  const [begin, start] = [performance.now(), process.cpuUsage()];
  await steps.next();
  const [ms, { user, system }] = [performance.now() - begin, process.cpuUsage(start)];
  child.stdin.write('next\n');
  const theirs = await answer();
  const note = `${((user + system) / 1e6).toFixed(2)} and ${theirs.seconds.toFixed(2)} processor seconds`;
  console.error(`frame ${i}: ${note}, ${(ms / 1000).toFixed(2)} and ${theirs.clock.toFixed(2)} by the clock`);
  if (i < WARM) continue;
  processor.ours.push((user + system) / 1e6);
  processor.theirs.push(theirs.seconds);
  clock.ours.push(ms / 1000);
  clock.theirs.push(theirs.clock);
}
child.stdin.end();
await new Promise((resolve) => child.once('close', resolve));
const { arrays } = await readSafetensors(join(folder, 'reference.safetensors'));
const errors = Object.keys(boxes).map((object, i) => {
  const expected = arrays.get(object).data;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return last[i].data.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k])), 0) / largest;
});
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const compared = (what, { ours, theirs }) => {
  const ratios = theirs.map((value, i) => value / ours[i]);
  const rates = [ours, theirs].map((values) => (1 / quantile(values, 0.5)).toFixed(3));
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2));
  console.log(`frames per ${what}: ${rates[0]}, transformers ${rates[1]}, ratio ${middle} (quartiles ${low} to ${high})`);
};
const tensors = tf.memory();
console.log(`SAM 2.1 hiera-${size}, two objects, ${frames} frames, ${threads} threads`);
compared('second', clock);
compared('processor second', processor);
console.log(
  `logits of the last frame differ by ${Math.max(...errors).toExponential(1)}; ${Math.round(tensors.numBytes / 1e6)} MB of tensors`,
);
await file.close();
await rm(folder, { recursive: true });
process.exit(0);
