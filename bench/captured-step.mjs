/**
 * A training step as graphs against the same step operation by operation, in one process, taking turns.
 *
 *   node bench/captured-step.mjs [--size tiny|nano] [--side 800] [--batch 1] [--preset paper-code|all] [--runs 3]
 *
 * Prints medians with the range of seconds by the clock and of processor time, the median of the ratios of neighbouring steps, what
 * recording cost once, the floor (the products of a step at the rate of the fastest large ones, both as measured here), and the
 * largest memory before and with graphs. Random weights, the preset's adapters, or `all` of the model.
 */
import { parseArgs } from 'node:util';
import { gigaflops, matrixRate } from './lib/arithmetic.mjs';
import { dist, prepare } from './lib/dist.mjs';
import { randomDetector } from './lib/random-models.mjs';
import { trainStep, UNTIL_GRAPH } from './lib/train-step.mjs';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'tiny' },
    side: { type: 'string', default: '800' },
    batch: { type: 'string', default: '1' },
    preset: { type: 'string', default: 'paper-code' },
    runs: { type: 'string', default: '3' },
  },
});
await prepare();
const { hasNativeLinear, initBackend, nativeLinear, tf } = await dist('backend/index.js');
await initBackend('tensorflow', undefined, 'training');
const { model, inputs } = await randomDetector(Number(options.side), Number(options.batch), options.size);
const step = await trainStep(model, inputs, options.preset);
const single = (context) => context;

const once = async (wrap) => {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const stages = await step.run(wrap);
  const { user, system } = process.cpuUsage(used);
  return { clock: (performance.now() - began) / 1000, processor: (user + system) / 1e6, stages };
};
const peakMb = () => Math.round(process.resourceUsage().maxRSS / 1024);

const [first] = [await once(single), await once(single)];
const before = peakMb();
let recorded = 0;
for (let i = 0; i < UNTIL_GRAPH; i++) recorded = Math.max(recorded, (await once()).processor);
const [eager, graph] = [[], []];
for (let i = 0; i < Number(options.runs); i++) {
  graph.push(await once());
  eager.push(await once(single));
}
console.log(
  `training step, ${options.size}, ${options.side}x${options.side}, batch ${options.batch}, ${options.preset}; first step ${first.clock.toFixed(1)} s`,
);
for (const what of ['clock', 'processor']) {
  const [a, b] = [eager, graph].map((runs) => runs.map((run) => run[what]));
  const ratios = a.map((own, i) => own / b[i]);
  console.log(`  ${what.padEnd(10)} eager ${shown(a)} s, graph ${shown(b)} s, ratio ${shown(ratios)}`);
}
console.log(
  `  stages of a graph: ${JSON.stringify(graph.at(-1).stages)}; of single operations: ${JSON.stringify(eager.at(-1).stages)}`,
);
console.log(
  `  a step with recording: ${recorded.toFixed(1)} s of processor time; at most ${before} MB before, ${peakMb()} MB with graphs`,
);
const rate = matrixRate(tf, hasNativeLinear() ? nativeLinear : undefined);
const gflop = await gigaflops(tf, () => step.run(single));
console.log(
  `  products of single operations: ${gflop.toFixed(0)} GFLOP, ${(gflop / rate).toFixed(2)} s at ${rate.toFixed(0)} GFLOP/s`,
);
process.exit(0);

function shown(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(2)} (${sorted[0].toFixed(2)} to ${sorted.at(-1).toFixed(2)})`;
}
