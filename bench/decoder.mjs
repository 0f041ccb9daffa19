/**
 * SAM 2 (hiera-tiny, 1024x1024) with random weights against the reference, taking turns: the encoder on one image, then the
 * decoder for boxes on that image.
 *
 *   node bench/decoder.mjs [boxes a call, such as 1,8] [runs]
 *
 * Each side's first passes, which warm up, do not count. Prints medians of the time that passed and of the processors' time, the
 * ratios, and checks that both sides say the same of the boxes. On a machine that does other work too, compare the processors'
 * time with TF_NUM_INTRAOP_THREADS=1: with more threads, those that wait for each other count as well.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';
import { quietTensorflow } from '../scripts/lib/quiet.mjs';
import { median, startReference } from './lib/reference.mjs';

const [counts = '1,8', runs = '25'] = process.argv.slice(2);
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());
const WARM_UP = 2;

await bootstrap();
await build();
quietTensorflow();
const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
try {
  const reference = await startReference('decoder.py', [String(threads), folder]);
  if (reference === undefined) process.exit(1);
  const ours = await start();
  console.log(`SAM 2 hiera-tiny at 1024x1024, ${threads} threads`);
  await compare('image encoder', 'encode', 5, { ours, reference });
  for (const count of counts.split(',')) await compare(`decoder, ${count} box(es)`, count, Number(runs), { ours, reference });
  reference.end();
} finally {
  rmSync(folder, { recursive: true });
}

/** Asks both sides the same in turns. */
async function compare(title, question, times, sides) {
  const seconds = { ours: [], reference: [] };
  const cpu = { ours: [], reference: [] };
  const last = {};
  for (let run = -WARM_UP; run < times; run++) {
    for (const [name, { ask }] of Object.entries(sides)) {
      last[name] = await ask(question);
      if (run < 0) continue;
      seconds[name].push(last[name].seconds);
      cpu[name].push(last[name].cpuSeconds);
    }
  }
  console.log(`  ${title}, ${times} runs each`);
  for (const [name, shown] of [
    ['ours', 'sonoground'],
    ['reference', sides.reference.name],
  ]) {
    const [middle, best, used] = [median(seconds[name]), Math.min(...seconds[name]), median(cpu[name])].map(
      (s) => `${(1000 * s).toFixed(1)} ms`,
    );
    console.log(
      `    ${shown.padEnd(32)} ${middle} (best ${best}, processors ${used}), at most ${Math.round(last[name].peakMb)} MB`,
    );
  }
  const [time, work] = [seconds, cpu].map(({ ours, reference }) => median(ours.map((own, i) => reference[i] / own)).toFixed(2));
  console.log(`    ${time} times as fast as the reference, by the processors' time ${work} times (medians of pairs)`);
  const { scores = [] } = last.reference;
  const apart = Math.max(0, ...scores.map((score, i) => Math.abs(score - last.ours.scores[i])));
  if (scores.length > 0) console.log(`    expected IoU differs by at most ${apart.toExponential(1)}`);
}

/** Our side, in this process. */
async function start() {
  const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const { initBackend, tf } = await dist('backend/index.js');
  const { loadSam2Masker } = await dist('infer/index.js');
  const { inference } = await dist('nn/index.js');
  const { readSafetensors } = await dist('io/index.js');
  await initBackend();
  const { model } = await loadSam2Masker(folder);
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  const tensor = (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape);
  const pixelValues = tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]);
  const all = tensor('input_boxes');
  let features;
  return {
    async ask(question) {
      const begin = performance.now();
      const used = process.cpuUsage();
      let scores;
      if (question === 'encode') {
        if (features !== undefined) tf.dispose({ ...features });
        features = model.encodeImage(pixelValues, inference);
        await features.embeddings.data();
      } else {
        const answer = tf.tidy(() => {
          const boxes = tf.slice(all, [0, 0, 0], [1, Number(question), 4]);
          return { ...model.decodeMasks({ features, boxes, multimask: false }, inference) };
        });
        await answer.predMasks.data();
        scores = [...(await answer.iouScores.data())];
        tf.dispose(answer);
      }
      const seconds = (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(used);
      return { seconds, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1000, scores };
    },
  };
}
