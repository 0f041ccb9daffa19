/**
 * Deformable attention of one encoder layer at 800x800: the native operation, the portable version and PyTorch's grid_sample.
 *
 *   node bench/deformable-attention.mjs [runs]
 *
 * PyTorch runs if `.venv-reference`, or the Python that SONOGROUND_REFERENCE_PYTHON names, has it. The three take turns, so
 * that other programs slow all of them down; medians are printed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';
import { quietTensorflow } from '../scripts/lib/quiet.mjs';

const LEVELS = [
  [100, 100],
  [50, 50],
  [25, 25],
  [13, 13],
];
const [HEADS, DEPTH, POINTS] = [8, 32, 4];
const CELLS = LEVELS.reduce((sum, [h, w]) => sum + h * w, 0);
/** How far from where a fresh model looks, in cells. */
const SPREAD = 1;

const runs = Number(process.argv[2] ?? 15);
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());

await bootstrap();
await build();
quietTensorflow();
const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { initBackend, nativeOps, tf } = await dist('backend/index.js');
const { deformableAttentionBy } = await dist('ops/deformable-attention.js');
const { gatherSampler } = await dist('ops/deformable-gather.js');
const { nativeSampler } = await dist('ops/deformable-native.js');
const { Rng } = await dist('util/index.js');
const backend = await initBackend();

const inputs = makeInputs();
const contestants = [
  ...(nativeOps().reason === undefined ? [here('native', nativeSampler)] : []),
  here('portable', gatherSampler),
  ...(await torch()),
];
if (nativeOps().reason !== undefined) console.log(`no native operations: ${nativeOps().reason}`);
console.log(
  `${CELLS} queries, ${HEADS} heads of ${DEPTH}, ${LEVELS.length} levels, ${POINTS} points; ${backend}, ${threads} threads`,
);
for (const what of ['forward', 'both']) await compare(what);
for (const { end } of contestants) end();

/** Runs all in turns; the first, which warms up, does not count. */
async function compare(what) {
  const times = contestants.map(() => []);
  const checks = [];
  for (let run = 0; run <= runs; run++)
    for (const [i, contestant] of contestants.entries()) {
      const { milliseconds, checks: found } = await contestant.run(what);
      checks[i] = found;
      if (run > 0) times[i].push(milliseconds);
    }
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]);
  console.log(what === 'both' ? 'forward and backward' : 'forward');
  for (const [i, { name }] of contestants.entries()) {
    const ratio = (medians[i] / medians[0]).toFixed(2);
    const apart = Math.max(...checks[i].map((x, k) => Math.abs(x / checks[0][k] - 1)));
    console.log(
      `  ${name.padEnd(16)} ${medians[i].toFixed(1).padStart(8)} ms (best ${times[i][0].toFixed(1)}), ${ratio} times ${contestants[0].name}, means of |results| differ by ${apart.toExponential(0)}`,
    );
  }
}

/** Value, locations, weights and a gradient, float32. Locations are where a fresh model looks: around each query, in all directions. */
function makeInputs() {
  const rng = Rng.seeded(1);
  const fill = (shape, next) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, next) });
  const normal = () => rng.normal();
  const places = [];
  for (const [rows, columns] of LEVELS)
    for (let i = 0; i < rows * columns; i++)
      for (let head = 0; head < HEADS; head++)
        for (const [h, w] of LEVELS)
          for (let p = 1; p <= POINTS; p++) {
            const angle = (2 * Math.PI * head) / HEADS;
            places.push(((i % columns) + 0.5) / columns + (Math.cos(angle) * p + SPREAD * rng.normal()) / w);
            places.push((Math.floor(i / columns) + 0.5) / rows + (Math.sin(angle) * p + SPREAD * rng.normal()) / h);
          }
  return {
    value: fill([1, CELLS, HEADS, DEPTH], normal),
    locations: { shape: [1, CELLS, HEADS, LEVELS.length, POINTS, 2], data: Float32Array.from(places) },
    weights: fill([1, CELLS, HEADS, LEVELS.length, POINTS], () => rng.uniform() / (LEVELS.length * POINTS)),
    gradient: fill([1, CELLS, HEADS * DEPTH], normal),
  };
}

/** One of our own ways. */
function here(name, way) {
  const [value, samplingLocations, attentionWeights, gradient] = Object.values(inputs).map(({ data, shape }) => {
    const x = tf.tensor(data, shape);
    tf.dispose(tf.tidy(() => tf.add(x, 1))); // brings the values into TensorFlow
    return x;
  });
  const geometry = { batch: 1, cells: CELLS, queries: CELLS, heads: HEADS, depth: DEPTH, points: POINTS, spatialShapes: LEVELS };
  const attend = (v, l, w) =>
    deformableAttentionBy(way, { value: v, spatialShapes: LEVELS, samplingLocations: l, attentionWeights: w }, geometry);
  const work = {
    forward: () => [attend(value, samplingLocations, attentionWeights)],
    both: () => tf.grads(attend)([value, samplingLocations, attentionWeights], gradient),
  };
  return {
    name,
    async run(what) {
      const begin = performance.now();
      const results = tf.tidy(work[what]); // returns when TensorFlow has computed
      const milliseconds = performance.now() - begin;
      const checks = results.map((x) => x.dataSync().reduce((sum, number) => sum + Math.abs(number), 0) / x.size);
      tf.dispose(results);
      return { milliseconds, checks };
    },
    end() {},
  };
}

/** PyTorch, if it is installed, in a process that waits for its turns. */
async function torch() {
  const python = process.env.SONOGROUND_REFERENCE_PYTHON ?? join(root, '.venv-reference', 'bin', 'python');
  if (!existsSync(python)) {
    console.log('without PyTorch: .venv-reference does not exist, and SONOGROUND_REFERENCE_PYTHON names no other Python');
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
  const file = join(dir, 'inputs');
  const parts = Object.values(inputs);
  writeFileSync(file, Buffer.concat(parts.map(({ data }) => new Uint8Array(data.buffer))));
  writeFileSync(`${file}.json`, JSON.stringify({ threads, levels: LEVELS, shapes: parts.map(({ shape }) => shape) }));
  const child = spawn(python, [join(root, 'bench', 'deformable_attention.py'), file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: name, done } = await lines.next();
  rmSync(dir, { recursive: true });
  if (done) return [];
  return [
    {
      name,
      async run(what) {
        child.stdin.write(`${what}\n`);
        return JSON.parse((await lines.next()).value);
      },
      end: () => child.stdin.end(),
    },
  ];
}
