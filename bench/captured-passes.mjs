/**
 * Passes of a predictor as graphs against the same passes operation by operation, in one process, taking turns.
 *
 *   node bench/captured-passes.mjs [--size nano|tiny] [--side N] [--works image,prompt,encode,decode] [--runs N]
 *
 * Prints medians with quartiles of milliseconds by the clock and of processor time, the median of the ratios of neighbouring
 * runs, whether the bits are the same, what recording and compiling cost once, and the largest memory before and with graphs.
 * Random weights; `nano` has the sizes of the nano models.
 */
import { parseArgs } from 'node:util';
import { dist, prepare } from './lib/dist.mjs';
import { randomDetector, randomMasker } from './lib/random-models.mjs';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'nano' },
    side: { type: 'string', default: '192' },
    works: { type: 'string', default: 'image,prompt,encode,decode' },
    runs: { type: 'string', default: '15' },
  },
});
await prepare();
const { initBackend, tf } = await dist('backend/index.js');
const { InferencePasses, inference } = await dist('nn/index.js');
await initBackend('tensorflow');
const { size } = options;
/** After how many passes of the same shapes one is recorded. */
const EAGER_PASSES = 2;
const works = options.works.split(',');

if (works.includes('image') || works.includes('prompt')) {
  const { model, inputs } = await randomDetector(Number(options.side), 1, size);
  const { pixelValues, ...text } = inputs;
  const image = { pixelValues };
  const encodeImage = (given) => model.encodeImage(given, inference);
  const encodeText = (given) => model.encodeText(given, inference);
  const detect = ({ encoded, asked }) => {
    const { logits, predBoxes } = model.detect(encoded, asked, inference).layers.at(-1);
    return { logits, predBoxes };
  };
  // As the predictor does: three passes for an image, two of them for one more prompt on it.
  const answer = (run, encoded) => {
    const asked = run('text', text, encodeText);
    const found = run('detect', { encoded, asked }, detect);
    tf.dispose(asked);
    return found;
  };
  const whole = (run) => {
    const encoded = run('image', image, encodeImage);
    const found = answer(run, encoded);
    tf.dispose(encoded);
    return found;
  };
  if (works.includes('image')) await compare(`detector, ${size}, ${options.side}x${options.side}, one image`, model, whole);
  if (works.includes('prompt')) {
    const encoded = tf.tidy(() => encodeImage(image));
    await compare(`detector, ${size}, one more prompt on the image`, model, (run) => answer(run, encoded));
    tf.dispose(encoded);
  }
  model.dispose();
}
if (works.includes('encode') || works.includes('decode')) {
  const { model, pixelValues, boxes } = await randomMasker(size);
  const encode = (given) => model.encodeImage(given.pixelValues, inference);
  if (works.includes('encode'))
    await compare(`masker, ${size}, one image`, model, (run) => run('image', { pixelValues }, encode));
  if (works.includes('decode')) {
    const features = tf.tidy(() => encode({ pixelValues }));
    const inputs = { features, boxes: tf.slice(boxes, [0, 0, 0], [1, 1, 4]), multimask: false };
    await compare(`masker, ${size}, one box`, model, (run) =>
      run('masks', inputs, (given) => model.decodeMasks(given, inference)),
    );
  }
}

/** Runs a work through graphs and without, in turns. */
async function compare(title, model, work) {
  const passes = new InferencePasses(model);
  const eagerly = (_variant, inputs, forward) => tf.tidy(() => forward(inputs));
  const captured = (variant, inputs, forward) => passes.run(variant, inputs, forward);
  const once = async (run) => {
    const [began, used] = [performance.now(), process.cpuUsage()];
    const result = work(run);
    const numbers = await Promise.all(tensorsIn(result).map((tensor) => tensor.data()));
    const clock = performance.now() - began;
    const { user, system } = process.cpuUsage(used);
    tf.dispose(result);
    return { clock, processor: (user + system) / 1000, numbers };
  };
  const first = await once(eagerly);
  const plain = [];
  // All but the last run before passes are recorded.
  for (let i = 0; i < EAGER_PASSES; i++) plain.push(await once(captured));
  const before = peakMb();
  const used = process.cpuUsage();
  await once(captured);
  await passes.settle();
  const { user, system } = process.cpuUsage(used);
  const [eager, graph] = [[], []];
  let same = true;
  for (let i = 0; i < Number(options.runs); i++) {
    for (const [list, run] of [
      [graph, captured],
      [eager, eagerly],
    ]) {
      const { numbers, ...times } = await once(run);
      list.push(times);
      same &&= numbers.every((own, k) => equal(own, first.numbers[k]));
    }
  }
  console.log(title);
  for (const what of ['clock', 'processor']) {
    const [a, b] = [eager, graph].map((runs) => runs.map((run) => run[what]));
    const ratio = quartiles(a.map((own, i) => own / b[i]));
    console.log(
      `  ${what.padEnd(10)} eager ${shown(quartiles(a))} ms, graph ${shown(quartiles(b))} ms, ratio ${shown(ratio, 2)}`,
    );
  }
  const cost = (user + system) / 1000 - Math.min(...plain.map(({ processor }) => processor));
  console.log(`  the same bits: ${same ? 'yes' : 'NO'}; recording and compiling: ${cost.toFixed(0)} ms of processor time, once`);
  console.log(`  at most ${before} MB before, ${peakMb()} MB with graphs`);
  passes.dispose();
}

function peakMb() {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

function tensorsIn(value) {
  if (value instanceof tf.Tensor) return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(tensorsIn) : [];
}

function equal(a, b) {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Lower quartile, median, upper quartile. */
function quartiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
}

function shown([low, median, high], digits = 1) {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
