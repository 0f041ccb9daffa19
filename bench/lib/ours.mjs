/**
 * Our process of run.mjs, with the protocol of bench/side.py. Arguments: kind of process, folder of the model that the reference
 * made, or `random`, side, batch, backend, model.
 *
 * A pass is what a user gets: warmed up, and as graphs where those can run. `eager QUESTION` runs it operation by operation and also
 * answers with the time of the model's blocks; `rate` and `floor QUESTION` are what the floor is computed from; `memory N QUESTION`
 * runs it N times, and answers with the memory of the process and the number of tensors after the first tenth and at the end.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../scripts/lib/places.mjs';
import { gigaflops, matrixRate } from './arithmetic.mjs';
import { deviceMemoryMb, deviceName } from './device.mjs';
import { dist } from './dist.mjs';

const [work, folder, side, batch, wanted = 'auto', size = 'tiny'] = process.argv.slice(2);
const { describeBackend, hasNativeLinear, initBackend, nativeLinear, nativeOps, tf } = await dist('backend/index.js');
const { writeSafetensors } = await dist('weights/formats/index.js');
const { makers } = await import('./our-passes.mjs');
const { WITHOUT_GRAPHS } = await import('./method-passes.mjs');
const { compiledWay, eagerWay, UNTIL_GRAPH } = await import('./ways.mjs');
const backend = await initBackend(wanted, undefined, work === 'train-step' ? 'training' : 'inference');

const passes = await makers[work]({ folder, side: Number(side), batch: Number(batch), size });
const usual = compiledWay();
const warm = new Set();
const compiles = !WITHOUT_GRAPHS.includes(work) && usual.compiles();
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
console.log(JSON.stringify({ version, precision: 'float32', native: nativeOps().names, compiles }));
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(line.trim()).catch((error) => ({ refused: error.message }));
  console.log(JSON.stringify(reply));
}

async function answer(question) {
  if (question === 'rate') {
    const facts = await describeBackend();
    const rate = backend === 'tensorflow' ? matrixRate(tf, hasNativeLinear() ? nativeLinear : undefined) : facts.gflops;
    return { rate, backend, device: deviceName(facts) };
  }
  if (question.startsWith('save ')) {
    const [file, ...words] = question.slice('save '.length).split(' ').reverse();
    const what = words.reverse().join(' ');
    await warmUp(what);
    await passes(what, (compiles ? usual : eagerWay()).inParts, (outputs) => save(outputs, file));
    return { saved: file };
  }
  const [, count, asked] = /^memory (\d+) (.+)$/.exec(question) ?? [];
  if (asked !== undefined) return memoryOver(Number(count), asked);
  if (question.startsWith('floor '))
    return { gflop: await gigaflops(tf, () => passes(question.slice('floor '.length), eagerWay().inParts)) };
  const [, eager, what] = /^(eager )?(.*)$/.exec(question);
  if (eager === undefined && compiles) {
    await warmUp(what);
    usual.stages();
    const figures = await timed(what, usual.inParts);
    return { stages: usual.stages(), ...figures };
  }
  const { inParts, clock } = eagerWay();
  const figures = await timed(what, inParts);
  return { stages: clock.stages(), blocks: clock.blocks(), ...figures };
}

/** Runs a pass until it is a graph. Where there are none, nothing runs: there the first pass is measured as well. */
async function warmUp(question) {
  if (!compiles || warm.has(question)) return;
  warm.add(question);
  for (let i = 0; i < UNTIL_GRAPH; i++) await passes(question, usual.inParts);
  await usual.settle();
}

async function memoryOver(count, question) {
  await warmUp(question);
  const seen = [];
  for (let i = 0; i < count; i++) {
    await passes(question, (compiles ? usual : eagerWay()).inParts);
    seen.push({ rssMb: process.memoryUsage.rss() / 1e6, tensors: tf.memory().numTensors, bytes: tf.memory().numBytes });
  }
  return { early: seen[Math.ceil(count / 10) - 1], late: seen.at(-1), largestMb: Math.max(...seen.map(({ rssMb }) => rssMb)) };
}

async function timed(question, inParts) {
  const [begin, used] = [performance.now(), process.cpuUsage()];
  const stages = await passes(question, inParts);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(used);
  const peakMb = process.resourceUsage().maxRSS / 1000;
  return { seconds, cpuSeconds: (user + system) / 1e6, peakMb, ...deviceMemoryMb(tf), ...(stages !== undefined && { stages }) };
}

/** Writes tensors, which have the names and the layout of the reference. */
async function save(outputs, file) {
  const arrays = new Map();
  for (const [name, tensor] of Object.entries(outputs))
    arrays.set(name, { dtype: 'float32', shape: tensor.shape, data: await tensor.data() });
  await writeSafetensors(file, arrays);
}
