/**
 * Trains a tiny model in a process that is to be killed: `node train-child.mjs RUN_DIR KILL_AT WORKERS [RANK]`. The process kills
 * itself in the middle of its KILL_AT-th act on the file system (0: never) and prints how many acts there were if it lives, of each
 * rank.
 *
 * Under `mpirun` it is one of several ranks, of which RANK is to be killed; meeting the others is an act too.
 */
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { initBackend, tf } from '../../dist/backend/index.js';
import { Linear, Module } from '../../dist/nn/index.js';
import { openRun, runConfigSchema, train } from '../../dist/train/index.js';
import { Rng } from '../../dist/util/index.js';
import { saveCheckpoint } from '../../dist/weights/index.js';
import { connectRanks } from './connect-ranks.mjs';

const [dir, killAt, workers, killRank] = process.argv.slice(2);
const mpi = connectRanks();
let acts = 0;

/** Kills the process at the chosen act, half-way through where the act can be halved. */
function watch(target, name, half) {
  const original = target[name];
  target[name] = async function (...args) {
    acts += 1;
    if (acts === Number(killAt) && (mpi === undefined || mpi.ranks.rank === Number(killRank))) {
      await half?.call(this, original, args);
      process.kill(process.pid, 'SIGKILL');
    }
    return original.apply(this, args);
  };
}

async function writeHalf(original, [content]) {
  await original.call(this, Buffer.from(content).subarray(0, content.length >> 1));
}
const probe = await open(import.meta.filename ?? new URL(import.meta.url).pathname);
const handle = Object.getPrototypeOf(probe);
await probe.close();

class Toy extends Module {
  constructor() {
    super();
    this.linear = this.child('linear', new Linear(12, 3));
  }
}

await initBackend(process.env['SONOGROUND_BACKEND'] ?? 'auto');
const config = runConfigSchema.parse({
  run: { dir, seed: 3 },
  data: { format: 'phantom', phantom: { size: { width: 24, height: 20 }, train: 10, val: 3, test: 1 } },
  train: {
    epochs: 3,
    batchSize: 2,
    accumulate: 2,
    learningRate: 0.01,
    schedule: 'one-cycle',
    warmupSteps: 2,
    ema: 0.9,
    augment: 'paper',
    checkpointEvery: 2,
    keepLast: 2,
    workers: Number(workers),
    groups: [{ match: 'linear.bias', lrScale: 2, weightDecay: 0 }],
  },
});
const model = new Toy();
for (const [, parameter] of model.namedParameters()) parameter.initialise(Rng.seeded(1));

/** Brightness on a 2 x 2 grid, by channel. */
function features({ image: { width, height, data } }) {
  const sums = new Float32Array(12);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    sums[(2 * Number(y * 2 >= height) + Number(x * 2 >= width)) * 3 + (i % 3)] += data[i] / data.length / 64;
  }
  return [...sums];
}

function lossOf(samples, noise) {
  const input = tf.tensor2d(samples.map(features));
  const wanted = tf.tensor2d(
    samples.map(({ objects }) => [objects.length, objects[0]?.boxXyxyPx[0] ?? 0, 1].map((v) => v / 10 + noise)),
  );
  return () => tf.mean(tf.squaredDifference(model.linear.forward(input), wanted));
}

const task = {
  model,
  async step(samples, rng) {
    const parameters = [...model.namedParameters()].map(([, parameter]) => parameter);
    const { value, grads } = tf.tidy(() =>
      tf.variableGrads(
        lossOf(samples, rng.normal(0, 0.1)),
        parameters.map(({ value }) => value),
      ),
    );
    const gradients = new Map(parameters.map((parameter) => [parameter, grads[parameter.value.name]]));
    const [total] = await value.data();
    value.dispose();
    return { total, terms: { squares: total }, gradients, normaliser: samples.length };
  },
  async loss(samples) {
    const value = tf.tidy(() => lossOf(samples, 0)());
    const [total] = await value.data();
    value.dispose();
    return { total, terms: { squares: total } };
  },
  save: (to) => saveCheckpoint(model, `${to}/model.safetensors`),
};

const [data] = await openRun(config.data, 3);
watch(handle, 'writeFile', writeHalf);
for (const name of ['sync', 'truncate', 'close']) watch(handle, name);
for (const name of ['rename', 'symlink', 'rm', 'mkdir', 'open']) watch(fs.promises, name);
syncBuiltinESMExports();
if (mpi !== undefined) for (const name of ['gather', 'sum']) watch(mpi.ranks, name);
const before = tf.memory().numTensors;
try {
  await train({ task, ...data, config: config.train, settings: config, seed: 3, dir, resume: true, ranks: mpi?.ranks });
} catch (error) {
  const shared = await mpi?.ranks.fail(error);
  if (shared === undefined || mpi.ranks.isRoot) process.stderr.write(`${(shared ?? error).message}\n`);
  process.exitCode = 1;
}
if (tf.memory().numTensors !== before) throw new Error(`${tf.memory().numTensors - before} tensors were left`);
if (mpi === undefined) process.stdout.write(`${acts}\n`);
else if (process.exitCode === undefined) {
  const all = await mpi.ranks.gather(acts);
  if (mpi.ranks.isRoot) process.stdout.write(`${all.join()}\n`);
}
mpi?.close();
