/**
 * Averages the weights of a Grounding DINO over training: those of model folders, and the moving averages in training states.
 *
 *   node tools/real/averaged.mjs TO MODEL MODEL-OR-STATE [MODEL-OR-STATE …]
 *   node tools/real/averaged.mjs runs/averaged runs/words-3/best runs/words-3/checkpoints/step-00002400.safetensors
 *
 * All must be of the same architecture. The configuration, the tokenizer, and the parameters that a state does not train are those of
 * MODEL. Averages of weights along one run often generalise better than any of them (Izmailov et al. 2018).
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { initBackend, tf } from '../../dist/backend/index.js';
import { loadDetector } from '../../dist/pretrained/index.js';
import { readSafetensors } from '../../dist/weights/formats/index.js';
import { saveCheckpoint } from '../../dist/weights/index.js';

/** Before the path of a parameter in a training state. */
const AVERAGE = 'ema.average.';

const [to, first, ...others] = process.argv.slice(2);
if (others.length === 0) stop('usage: node tools/real/averaged.mjs TO MODEL MODEL-OR-STATE [MODEL-OR-STATE …]');
await initBackend();
const { model } = await loadDetector(first);
// A shared parameter is trained and kept under the first of its paths.
const firstPaths = new Map([...model.namedParameters()].reverse().map(([path, parameter]) => [parameter, path]));
const parameters = [...firstPaths];
const sums = new Map(parameters.map(([parameter, path]) => [path, tf.clone(parameter.value)]));
for (const other of others) {
  const values = other.endsWith('.safetensors') ? await valuesOfState(other) : await valuesOfModel(other);
  for (const [parameter, path] of parameters) {
    const value = values.get(path) ?? parameter.value;
    if (value.shape.join() !== parameter.value.shape.join())
      stop(`${other}: ${path} has the shape [${value.shape}], and [${parameter.value.shape}] in ${first}`);
    const sum = tf.add(sums.get(path), value);
    tf.dispose(sums.get(path));
    sums.set(path, sum);
  }
  tf.dispose([...values.values()]);
}
tf.tidy(() => {
  for (const [parameter, path] of parameters) parameter.assign(tf.div(sums.get(path), 1 + others.length));
});
await cp(first, to, { recursive: true, dereference: true });
await saveCheckpoint(model, join(to, 'model.safetensors'));
process.stdout.write(`${parameters.length} parameters averaged over ${1 + others.length} sets of weights\n`);

/** The moving averages of a training state, by path: as in memory, not as in a checkpoint. */
async function valuesOfState(file) {
  const { arrays } = await readSafetensors(file);
  const averages = [...arrays].filter(([name]) => name.startsWith(AVERAGE));
  if (averages.length === 0) stop(`${file}: it has no moving averages. Train with train.ema above 0`);
  const paths = new Set(parameters.map(([, path]) => path));
  const foreign = averages.map(([name]) => name.slice(AVERAGE.length)).find((path) => !paths.has(path));
  if (foreign !== undefined) stop(`${file}: ${foreign} is no parameter of ${first}`);
  return new Map(averages.map(([name, { data, shape }]) => [name.slice(AVERAGE.length), tf.tensor(data, [...shape])]));
}

async function valuesOfModel(folder) {
  const { model: other } = await loadDetector(folder);
  const values = new Map([...other.namedParameters()].map(([path, { value }]) => [path, tf.clone(value)]));
  other.dispose();
  const missing = parameters.find(([, path]) => !values.has(path));
  if (missing !== undefined) stop(`${folder}: it has no ${missing[1]}, which ${first} has`);
  return values;
}

function stop(message) {
  process.stderr.write(`averaged: ${message}\n`);
  process.exit(2);
}
