/**
 * What bfloat16 gains and costs: the same passes in both precisions, in one process, taking turns, as graphs where users get those.
 *
 *   node bench/precision.mjs [--works shipped,encoder,detector] [--runs N] [--side N]
 *
 * `shipped` are the models of the package; `encoder` is SAM 2 hiera-tiny at 1024, `detector` Grounding DINO tiny at SIDE, with random
 * weights. Prints medians with quartiles of the processor time of a pass, and of the ratios of neighbouring passes; the memory of
 * the tensors; and how much the outputs differ, relative to their root mean square.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/places.mjs';
import { dist, prepare } from './lib/dist.mjs';
import { randomDetector, randomMasker } from './lib/random-models.mjs';
import { median, quartiles } from './lib/statistics.mjs';

const { values: options } = parseArgs({
  options: {
    works: { type: 'string', default: 'shipped,encoder,detector' },
    runs: { type: 'string', default: '9' },
    side: { type: 'string', default: '800' },
  },
});
await prepare();
const { backendFacts, initBackend, tf } = await dist('backend/index.js');
const { InferencePasses, inference, useBfloat16 } = await dist('nn/index.js');
await initBackend('tensorflow');
console.log(`kernels: ${backendFacts().nativeOpsOn}`);
/** Runs until a pass is a graph. */
const WARM_UPS = 4;
const WORKS = { shipped, encoder, detector };
for (const work of options.works.split(',')) await WORKS[work]();

/** `ways` are the same work in float32 and in bfloat16: each resolves to the numbers that it computes. */
async function compare(title, ways, runs = Number(options.runs)) {
  const times = ways.map(() => []);
  const numbers = [];
  for (let run = 0; run < WARM_UPS + runs; run++)
    for (const [i, way] of ways.entries()) {
      const used = process.cpuUsage();
      numbers[i] = await way();
      const { user, system } = process.cpuUsage(used);
      if (run >= WARM_UPS) times[i].push((user + system) / 1000);
    }
  const [single, half] = times;
  const ratios = single.map((time, i) => time / half[i]);
  const shown = (list, digits) => `${median(list).toFixed(digits)} (${quartiles(list).map((x) => x.toFixed(digits)).join(' to ')})`; // biome-ignore format: short
  console.log(title);
  console.log(`  float32 ${shown(single, 1)} ms, bfloat16 ${shown(half, 1)} ms, ratio ${shown(ratios, 2)}`);
  if (numbers.every((list) => list !== undefined)) console.log(`  difference ${differenceOf(...numbers).toExponential(1)}`);
}

function differenceOf(expected, got) {
  let [squares, power] = [0, 0];
  for (const [i, value] of expected.entries()) {
    squares += (value - got[i]) ** 2;
    power += value ** 2;
  }
  return Math.sqrt(squares / power);
}

function megabytes() {
  return tf.memory().numBytes / 1e6;
}

async function shipped() {
  const { GroundedSegmenter } = await dist('infer/index.js');
  const { decodeImage } = await dist('imaging/index.js');
  const picture = await decodeImage(join(root, 'examples', 'nerve-and-vessel-1.jpg'));
  const segmenters = [];
  for (const precision of ['float32', 'bfloat16']) {
    const before = megabytes();
    segmenters.push(await GroundedSegmenter.load({ precision }));
    console.log(`shipped models in ${precision}: ${(megabytes() - before).toFixed(1)} MB`);
  }
  // A new object each time, as predictors remember the last image.
  const image = () => ({ ...picture });
  const box = [[186, 172, 350, 295]];
  const each = (work) => segmenters.map((segmenter) => () => work(segmenter));
  await compare(
    'shipped detector, one image and prompt',
    each(async ({ detector: finder }) => void (await finder.detect(image(), ['nerve', 'blood vessel']))),
  );
  await compare(
    'shipped masker, one image and box',
    each(async ({ masker }) => {
      await masker.setImage(image());
      const [{ mask }] = await masker.predictBoxes(box);
      return mask.data;
    }),
  );
  for (const segmenter of segmenters) segmenter.dispose();
}

/** The same random model twice, once in bfloat16, and its passes as predictors run them. */
async function twice(make, forward) {
  const ways = [];
  for (const half of [false, true]) {
    const before = megabytes();
    const made = await make();
    if (half) useBfloat16(made.model);
    console.log(`random weights and inputs in ${half ? 'bfloat16' : 'float32'}: ${(megabytes() - before).toFixed(0)} MB`);
    const passes = new InferencePasses(made.model);
    ways.push(async () => {
      const outputs = forward(made, passes);
      const numbers = await outputs.at(-1).data();
      tf.dispose(outputs);
      await passes.settle();
      return numbers;
    });
  }
  return ways;
}

async function encoder() {
  const ways = await twice(
    () => randomMasker('tiny'),
    ({ model, pixelValues }, passes) => {
      const { highRes0, highRes1, embeddings } = passes.run('image', { pixelValues }, (given) =>
        model.encodeImage(given.pixelValues, inference),
      );
      return [highRes0, highRes1, embeddings];
    },
  );
  await compare('SAM 2 hiera-tiny, encoder, 1024x1024', ways);
}

async function detector() {
  const side = Number(options.side);
  const ways = await twice(
    () => randomDetector(side, 1, 'tiny'),
    ({ model, inputs: { pixelValues, ...text } }, passes) => {
      const encoded = passes.run('image', { pixelValues }, (given) => model.encodeImage(given, inference));
      const asked = passes.run('text', text, (given) => model.encodeText(given, inference));
      const { logits, predBoxes } = passes.run('detect', { encoded, asked }, (given) => {
        return model.detect(given.encoded, given.asked, inference).layers.at(-1);
      });
      return [encoded, asked, predBoxes, logits].flatMap(tensorsIn);
    },
  );
  // Queries have no order that both precisions share: their outputs are not compared.
  const silent = ways.map((way) => async () => void (await way()));
  await compare(`Grounding DINO tiny, ${side}x${side}`, silent);
}

function tensorsIn(value) {
  if (value instanceof tf.Tensor) return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(tensorsIn) : [];
}
