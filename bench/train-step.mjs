/**
 * One training step of Grounding DINO tiny with adapters, against PyTorch with peft, taking turns.
 *
 *   node bench/train-step.mjs [image side] [batch] [runs] [preset] [--alone]
 *
 * Forward, matching, loss with auxiliary and encoder parts, backward, AdamW. Random weights, which the reference makes; the
 * adapters of the published code at rank 32 unless another preset is named (the reference keeps those). Each side's first step
 * does not count. Seconds of processor time are given too: on a machine that others use they say more. `--alone` leaves the reference's steps out: for batches that do not fit beside it, and for a fair peak.
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

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const [side = '800', batch = '1', runs = '3', preset = 'paper-code'] = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith('--'));
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());

await bootstrap();
await build();
quietTensorflow();
const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
try {
  const reference = await startReference('train_step.py', [side, batch, '32', String(threads), folder]);
  if (reference === undefined) process.exit(1);
  if (flags.includes('--alone')) reference.end();
  const ours = await start();
  const sides = flags.includes('--alone') ? { ours } : { ours, reference };
  const times = { ours: [], reference: [] };
  const busy = { ours: [], reference: [] };
  const peaks = {};
  for (let run = 0; run <= Number(runs); run++) {
    for (const [name, { ask }] of Object.entries(sides)) {
      const { seconds, cpu, peakMb } = await ask('step');
      peaks[name] = peakMb;
      if (run > 0) times[name].push(seconds);
      if (run > 0) busy[name].push(cpu);
    }
  }
  if (!flags.includes('--alone')) reference.end();
  console.log(`a step of Grounding DINO tiny, batch ${batch} of ${side}x${side}, ${threads} threads, ${runs} steps each`);
  for (const name of Object.keys(sides)) {
    const title = name === 'ours' ? `sonoground, ${ours.name}` : reference.name;
    const best = Math.min(...times[name]).toFixed(2);
    const cpu = median(busy[name]).toFixed(1);
    console.log(
      `  ${title.padEnd(62)} ${median(times[name]).toFixed(2)} s (best ${best}), ${cpu} s of processor, at most ${Math.round(peaks[name])} MB`,
    );
  }
  if (!flags.includes('--alone')) {
    const ratio = (values) => median(values.ours.map((value, i) => values.reference[i] / value)).toFixed(2);
    console.log(`  ${ratio(times)} times as fast as the reference, ${ratio(busy)} by processor time (medians of pairs)`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Our side, in this process. */
async function start() {
  const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const { initBackend, tf } = await dist('backend/index.js');
  const { loadGroundingDino, readModelConfig, groundingDinoConfigs } = await dist('infer/index.js');
  const { applyLora, loraPresets } = await dist('lora/index.js');
  const { DetectionCriterion } = await dist('losses/index.js');
  const { SegmentTape } = await dist('nn/index.js');
  const { AdamW } = await dist('train/optim/index.js');
  const { readSafetensors } = await dist('io/index.js');
  const { Rng } = await dist('util/index.js');
  await initBackend();
  const model = await loadGroundingDino(folder, await readModelConfig(folder, groundingDinoConfigs));
  const report = applyLora(model, loraPresets[preset], Rng.seeded(1));
  const { arrays } = await readSafetensors(join(folder, 'inputs.safetensors'));
  const tensor = (name) => tf.tensor(arrays.get(name).data, arrays.get(name).shape, arrays.get(name).dtype);
  const inputs = {
    pixelValues: tf.transpose(tensor('pixel_values'), [0, 2, 3, 1]),
    inputIds: tensor('input_ids'),
    attentionMask: tensor('attention_mask'),
    tokenTypeIds: tensor('token_type_ids'),
  };
  const boxesCxcywh = [
    [0.4, 0.5, 0.3, 0.2],
    [0.7, 0.3, 0.1, 0.2],
  ];
  const target = {
    boxesCxcywh,
    tokens: [
      [1, 2],
      [4, 5],
    ],
  };
  const targets = Array.from({ length: Number(batch) }, () => target);
  const criterion = new DetectionCriterion({
    weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
    costs: { class: 2, bbox: 5, giou: 2 },
  });
  const seen = new Set();
  const parameters = [...model.namedParameters()].filter(([, p]) => p.trainable && !seen.has(p) && seen.add(p));
  const optimiser = new AdamW([{ name: 'all', parameters }], { weightDecay: 1e-4 });
  let step = 0;
  return {
    name: `${preset}, ${report.trainable.toLocaleString('en')} trained`,
    async ask() {
      const from = performance.now();
      const cpuFrom = process.cpuUsage();
      const at = [];
      const mark = (what) => at.push([what, (performance.now() - from) / 1000]);
      const tape = new SegmentTape(Rng.seeded(3, step++));
      const outputs = model.forward(inputs, tape);
      await outputs.layers.at(-1).predBoxes.data();
      mark('forward');
      const { gradients: atOutputs } = await criterion.evaluate(outputs, inputs.attentionMask, targets);
      mark('loss');
      const { gradients } = tape.backward(atOutputs);
      optimiser.step(gradients, 5e-4);
      await [...gradients.values()].at(-1).data();
      mark('backward and update');
      tf.dispose([...gradients.values(), ...atOutputs.map(([, gradient]) => gradient)]);
      tape.dispose();
      const seconds = (performance.now() - from) / 1000;
      if (process.env.BENCH_PARTS) console.log(at.map(([what, s]) => `${what} ${s.toFixed(2)}`).join(', '));
      const { user, system } = process.cpuUsage(cpuFrom);
      return { seconds, cpu: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1000 };
    },
  };
}
