/**
 * The time of every TensorFlow operation of one pass, summed by kind, by block, and by kind and output shapes.
 *
 *   node bench/profile.mjs [detector|encoder|decoder|train-step] [--side 800] [--batch 1] [--boxes 1] [--rows 25]
 *
 * Weights are random. The first passes do not count, as the system then still fills new memory with zeros. Blocks are those that
 * gradient checkpointing recomputes.
 */
import { parseArgs } from 'node:util';
import { dist, prepare } from './lib/dist.mjs';
import { profiler, sumsBy, table } from './lib/profiler.mjs';
import { randomDetector, randomMasker } from './lib/random-models.mjs';
import { trainStep } from './lib/train-step.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    side: { type: 'string', default: '800' },
    batch: { type: 'string', default: '1' },
    boxes: { type: 'string', default: '1' },
    rows: { type: 'string', default: '25' },
  },
});
const [work = 'detector'] = positionals;
const rows = Number(values.rows);

await prepare();
const { initBackend, tf, nativeOps } = await dist('backend/index.js');
const { inference } = await dist('nn/index.js');
if ((await initBackend()) !== 'tensorflow') throw new Error('only the native backend can be profiled');

const WORKS = { detector, encoder, decoder, 'train-step': training };
if (!(work in WORKS)) {
  console.error(`profile: no work is called "${work}". Choose from ${Object.keys(WORKS).join(', ')}`);
  process.exit(1);
}
const { model, pass } = await WORKS[work]();
const WARM_UP = 3;
const profile = profiler(tf.backend());
for (let i = 0; i < WARM_UP; i++) await pass((context) => context);
profile.clear();
const [from, used, faults] = [performance.now(), process.cpuUsage(), process.resourceUsage().minorPageFault];
await pass((context) => profile.context(model, context));
const total = performance.now() - from;
const { user, system } = process.cpuUsage(used);
profile.stop();
const inside = profile.records.reduce((sum, { ms }) => sum + ms, 0);
console.log(
  `${work}: ${total.toFixed(0)} ms, of which ${inside.toFixed(0)} ms in ${profile.records.length} operations; ` +
    `processor time ${(user / 1000).toFixed(0)} ms and ${(system / 1000).toFixed(0)} ms in the kernel, ` +
    `${process.resourceUsage().minorPageFault - faults} page faults; native: ${nativeOps().names.join(', ') || nativeOps().reason}`,
);
console.log(
  table(
    'by kind',
    sumsBy(profile.records, ({ name }) => name),
    total,
    rows,
  ),
);
console.log(
  table(
    'by block',
    sumsBy(profile.records, ({ block }) => block),
    total,
    rows,
  ),
);
console.log(
  table(
    'by kind and shape',
    sumsBy(profile.records, ({ name, shapes }) => `${name} ${shapes}`),
    total,
    rows,
  ),
);

async function detector() {
  const { model, inputs } = await randomDetector(Number(values.side), Number(values.batch));
  return {
    model,
    async pass(wrap) {
      const { layers, encoder } = model.forward(inputs, wrap(inference));
      await layers.at(-1).predBoxes.data();
      tf.dispose([layers, encoder]);
    },
  };
}

async function encoder() {
  const { model, pixelValues } = await randomMasker();
  return {
    model,
    async pass(wrap) {
      const features = model.encodeImage(pixelValues, wrap(inference));
      await features.embeddings.data();
      tf.dispose({ ...features });
    },
  };
}

async function decoder() {
  const { model, pixelValues, boxes } = await randomMasker();
  const features = model.encodeImage(pixelValues, inference);
  return {
    model,
    async pass(wrap) {
      const asked = tf.slice(boxes, [0, 0, 0], [1, Number(values.boxes), 4]);
      const answer = model.decodeMasks({ features, boxes: asked, multimask: false }, wrap(inference));
      await answer.predMasks.data();
      tf.dispose([asked, { ...answer }]);
    },
  };
}

async function training() {
  const { model, inputs } = await randomDetector(Number(values.side), Number(values.batch));
  const step = await trainStep(model, inputs, 'paper-code');
  return { model, pass: (wrap) => step.run(wrap) };
}
