/**
 * Exports Grounding DINO tiny and SAM 2 (hiera-tiny) with random weights at full size, and runs the detector's graph in turns with
 * the same operations one by one.
 *
 *   node bench/export.mjs [tiny|base] [image side] [runs] [savedmodel|graph-model]
 *
 * Needs the reference environment, which makes the detector. Prints the errors that the export measures, its time and its peak
 * memory after the detector and after the masker; then the medians of the traced model, of the portable operations one by one, and
 * of the model as it runs here.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../scripts/bootstrap.mjs';
import { build } from '../scripts/lib/build.mjs';
import { root } from '../scripts/lib/places.mjs';
import { quietTensorflow } from '../scripts/lib/quiet.mjs';
import { randomMasker } from './lib/random-models.mjs';
import { startReference } from './lib/sides.mjs';
import { median } from './lib/statistics.mjs';

const [size = 'tiny', side = '800', runs = '5', form = 'savedmodel'] = process.argv.slice(2);
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());

await bootstrap();
await build();
quietTensorflow();
const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
try {
  const reference = await startReference('detector.py', [size, side, String(threads), folder]);
  if (reference === undefined) process.exit(1);
  await reference.end();
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(root, 'weights', 'nano-grounding-dino', name), join(folder, name));
  const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const { initBackend, tf } = await dist('backend/index.js');
  const { withPortableKernels } = await dist('backend/kernels/index.js');
  const { exportModel } = await dist('export/index.js');
  const { detectorProgram } = await dist('export/detector-program.js');
  const { openRunner } = await dist('infer/index.js');
  const { loadDetector } = await dist('pretrained/index.js');
  const { saveCheckpoint } = await dist('weights/index.js');
  await initBackend();
  const peakGb = () => (process.resourceUsage().maxRSS / 1e6).toFixed(1);
  const masker = join(folder, 'masker');
  const random = await randomMasker();
  mkdirSync(masker);
  await saveCheckpoint(random.model, join(masker, 'model.safetensors'));
  writeFileSync(join(masker, 'config.json'), '{ "model_type": "sam2" }');
  random.model.dispose();
  tf.dispose([random.pixelValues, random.boxes]);
  console.log(`before the export: peak memory ${peakGb()} GB`);
  const began = performance.now();
  const to = join(folder, 'exported');
  const imageSize = [Number(side), Number(side)];
  const say = (line) => {
    if (line.startsWith('the masker')) console.log(`  the detector: peak memory ${peakGb()} GB`);
    console.log(`  ${line}`);
  };
  const { detector, files } = await exportModel({ detector: folder, masker }, { form, to, imageSize, say });
  const bytes = Object.entries(files).reduce((sum, [name, file]) => sum + (name.startsWith('detector/') ? file.bytes : 0), 0);
  console.log(
    `export as ${form} took ${((performance.now() - began) / 1000).toFixed(0)} s, peak memory ${peakGb()} GB; the detector has ${Math.round(bytes / 1e6)} MB`,
  );
  const parts = await loadDetector(folder);
  const { height, width, text_length: textLength } = detector;
  const program = detectorProgram(parts, { height, width, textLength });
  const inputs = program.samples(1, 1);
  const traced = await openRunner(to, form, detector);
  const eager = () => tf.tidy(() => program.run(inputs));
  const ways = {
    traced: () => traced.run('serving_default', inputs),
    'portable operations one by one': () => withPortableKernels(eager),
    'as it runs here': eager,
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let run = 0; run <= Number(runs); run++) {
    for (const [name, way] of Object.entries(ways)) {
      const from = performance.now();
      const outputs = await way();
      await outputs.pred_boxes.data();
      // The first pass warms up.
      if (run > 0) times[name].push((performance.now() - from) / 1000);
      tf.dispose({ ...outputs });
    }
  }
  console.log(
    `Grounding DINO ${size}, one image of ${side}x${side}, ${textLength} tokens, ${threads} threads, ${runs} runs each`,
  );
  for (const [name, seconds] of Object.entries(times))
    console.log(`  ${name.padEnd(32)} ${median(seconds).toFixed(2)} s (best ${Math.min(...seconds).toFixed(2)})`);
  const pairs = times.traced.map((seconds, i) => times['portable operations one by one'][i] / seconds);
  console.log(`  traced ${median(pairs).toFixed(2)} times as fast as one by one (median of pairs); peak memory ${peakGb()} GB`);
} finally {
  rmSync(folder, { recursive: true });
}
