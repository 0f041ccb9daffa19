/**
 * Grounding DINO with random weights on one image, against the reference, taking turns.
 *
 *   node bench/detector.mjs [tiny|base] [image side] [runs]
 *
 * Each side's first pass, which warms up, does not count. Prints medians, their ratio, and the largest memory of each process.
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

const [size = 'tiny', side = '800', runs = '5'] = process.argv.slice(2);
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());

await bootstrap();
await build();
quietTensorflow();
const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
try {
  const reference = await startReference('detector.py', [size, side, String(threads), folder]);
  if (reference === undefined) process.exit(1);
  const ours = await start();
  const times = { ours: [], reference: [] };
  const peaks = {};
  for (let run = 0; run <= Number(runs); run++) {
    for (const [name, { ask }] of Object.entries({ ours, reference })) {
      const { seconds, peakMb } = await ask('run');
      peaks[name] = peakMb;
      if (run > 0) times[name].push(seconds);
    }
  }
  reference.end();
  console.log(`Grounding DINO ${size}, one image of ${side}x${side}, ${threads} threads, ${runs} runs each`);
  for (const [name, title] of [
    ['ours', 'sonoground'],
    ['reference', reference.name],
  ]) {
    const best = Math.min(...times[name]).toFixed(2);
    console.log(
      `  ${title.padEnd(32)} ${median(times[name]).toFixed(2)} s (best ${best}), at most ${Math.round(peaks[name])} MB`,
    );
  }
  const pairs = times.ours.map((seconds, i) => times.reference[i] / seconds);
  console.log(`  ${median(pairs).toFixed(2)} times as fast as the reference (median of pairs)`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Our side, in this process. */
async function start() {
  const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const { initBackend, tf } = await dist('backend/index.js');
  const { loadGroundingDino, readModelConfig, groundingDinoConfigs } = await dist('infer/index.js');
  const { inference } = await dist('nn/index.js');
  const { readSafetensors } = await dist('io/index.js');
  await initBackend();
  const begin = performance.now();
  const model = await loadGroundingDino(folder, await readModelConfig(folder, groundingDinoConfigs));
  console.log(`loading took ${((performance.now() - begin) / 1000).toFixed(2)} s`);
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  const tensor = (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape, arrays.get(name).dtype);
  const inputs = {
    pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]),
    inputIds: tensor('input_ids'),
    attentionMask: tensor('attention_mask'),
    tokenTypeIds: tensor('token_type_ids'),
  };
  return {
    async ask() {
      const from = performance.now();
      const { layers, encoder } = model.forward(inputs, inference);
      await layers.at(-1).predBoxes.data();
      const seconds = (performance.now() - from) / 1000;
      tf.dispose([layers, encoder]);
      return { seconds, peakMb: process.resourceUsage().maxRSS / 1000 };
    },
  };
}
