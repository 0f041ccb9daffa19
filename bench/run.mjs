/**
 * Everything that has a target, against the PyTorch reference where that is present, taking turns.
 *
 *   npm run bench -- --help
 *
 * Each side is a process of its own with random weights, its first pass does not count. Prints medians of seconds and of
 * processor seconds, the medians of the ratios of neighbouring runs, the largest memory, the floor (the products of our pass at
 * the rate of the fastest large products here), and our time by stage; appends each as a line to bench/ledger.jsonl. The whole
 * pipeline is the sum of detector, encoder and one decoder call. One more prompt on the same image is told as a share of our own
 * whole pass as well, with how many blocks of the backbone it ran. On a GPU also what the first pass took, in which programs are
 * compiled, and the GPU's memory. On a machine that does other work too, go by processor time, with TF_NUM_INTRAOP_THREADS=1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../scripts/lib/places.mjs';
import { prepare } from './lib/dist.mjs';
import { append, circumstances } from './lib/ledger.mjs';
import { median, startReference, startSide } from './lib/reference.mjs';
import { SCALING, SCRIPTS, WORKS } from './lib/works.mjs';

const USAGE = `npm run bench -- [options]

Measures speed and memory, against the PyTorch reference where .venv-reference has it, or SONOGROUND_REFERENCE_PYTHON
names a Python that does.

  --only     works, separated by commas: ${Object.keys(WORKS).join(', ')}. Default: all
  --runs     measured passes a side. Default: 5
  --side     of the image, in pixels. Default: 800
  --batch    images at once. Default: 1
  --boxes    boxes the decoder is asked for. Default: 1
  --scaling  goes through growing sizes, ours alone
  --alone    without the reference
  --backend  auto, tensorflow, webgpu, wasm or cpu. Default: auto
  --model    tiny, or nano: ours alone, small enough for a software GPU with --side 128

Examples:
  npm run bench -- --only encoder,decoder
  npm run bench -- --scaling --runs 3
  npm run bench -- --alone --backend webgpu`;

const options = readOptions();
const threads = Number(process.env.TF_NUM_INTRAOP_THREADS ?? availableParallelism());
await prepare();
const results = {};
for (const work of options.only) {
  const steps = options.scaling ? (SCALING[work] ?? []) : [{}];
  for (const step of steps) results[work] = await measure(work, { ...options.sizes, threads, ...step });
}
if (!options.scaling) tellPipeline();

function readOptions() {
  const text = (value) => ({ type: 'string', default: value });
  const values = parse({
    only: text(Object.keys(WORKS).join(',')),
    runs: text('5'),
    side: text('800'),
    batch: text('1'),
    boxes: text('1'),
    backend: text('auto'),
    model: text('tiny'),
    scaling: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const only = values.only.split(',');
  const unknown = only.find((work) => !(work in WORKS));
  if (unknown !== undefined) stop(`there is no "${unknown}" to measure. Choose from ${Object.keys(WORKS).join(', ')}`);
  const count = (name) => {
    const number = Number(values[name]);
    return Number.isInteger(number) && number > 0
      ? number
      : stop(`--${name} must be a whole number above 0, got ${values[name]}`);
  };
  const sizes = { side: count('side'), batch: count('batch'), boxes: count('boxes') };
  if (!['tiny', 'nano'].includes(values.model)) stop(`--model must be tiny or nano, got ${values.model}`);
  const nano = values.model === 'nano';
  if (nano) sizes.model = 'nano';
  return {
    only,
    runs: count('runs'),
    sizes,
    backend: values.backend,
    scaling: values.scaling,
    alone: values.alone || values.scaling || nano,
  };
}

function parse(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return stop(`${error.message.split('. ')[0]}\n\n${USAGE}`);
  }
}

function stop(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}

async function measure(work, sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
  const { process: kind, before, whole, question: questionOf, title: usual } = WORKS[work];
  const title = sizes.model === undefined ? usual : work;
  const question = questionOf(sizes);
  const sides = {};
  try {
    if (!options.alone) sides.reference = await startReference(...SCRIPTS[kind](sizes, folder));
    if (sides.reference === undefined) delete sides.reference;
    const from = sides.reference ? folder : 'random';
    const args = [
      join(root, 'bench', 'lib', 'ours.mjs'),
      kind,
      from,
      String(sizes.side),
      String(sizes.batch),
      options.backend,
      sizes.model ?? 'tiny',
    ];
    sides.ours = await startSide(process.execPath, args);
    if (sides.ours === undefined) stop(`our side of ${work} did not start`);
    const { rate, backend, device } = await sides.ours.ask('rate');
    if (before) for (const side of Object.values(sides)) await side.ask(before);
    const runs = { ours: [], reference: [], whole: [] };
    const first = {};
    for (let run = 0; run <= options.runs; run++) {
      for (const [name, side] of Object.entries(sides)) {
        const answer = await side.ask(question);
        if (run > 0) runs[name].push(answer);
        else first[name] = answer.seconds;
      }
      if (whole === undefined || options.scaling) continue;
      const answer = await sides.ours.ask(whole);
      if (run > 0) runs.whole.push(answer);
    }
    const { gflop } = await sides.ours.ask(`floor ${question}`);
    const record = { ...summarise(work, sizes, runs, gflop, rate), device };
    if (device !== 'cpu' || backend !== 'tensorflow') Object.assign(record, { backend, firstSeconds: first.ours });
    append(record);
    tell(title, record);
    return record;
  } finally {
    for (const side of Object.values(sides)) side.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summarise(work, { threads: _threads, ...sizes }, runs, gflop, rate) {
  const side = (list) => ({
    seconds: median(list.map(({ seconds }) => seconds)),
    cpuSeconds: median(list.map(({ cpuSeconds }) => cpuSeconds)),
    peakMb: list.at(-1).peakMb,
    ...(list.at(-1).gpuMb !== undefined && { gpuMb: Math.max(...list.map(({ gpuMb }) => gpuMb)) }),
  });
  const ratio = (key) => median(runs.ours.map((own, i) => runs.reference[i][key] / own[key]));
  const compared = runs.reference.length > 0;
  return {
    ...circumstances(),
    threads,
    work,
    sizes,
    runs: options.runs,
    ours: side(runs.ours),
    ...(compared && { reference: side(runs.reference), ratio: ratio('seconds'), cpuRatio: ratio('cpuSeconds') }),
    ...(runs.whole.length > 0 && {
      ofWhole: median(runs.ours.map((own, i) => own.seconds / runs.whole[i].seconds)),
      backboneBlocks: runs.ours.at(-1).blocks['model.backbone'] ?? 0,
    }),
    gflop,
    rate,
    floor: gflop / rate,
    stages: runs.ours.at(-1).stages,
  };
}

function tell(title, { work, sizes, ours, reference, ratio, cpuRatio, gflop, rate, floor, stages, ...on }) {
  const shown = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  console.log(`${title} (${shown.join(', ')}), ${threads} thread(s), ${options.runs} runs`);
  const line = (name, side) =>
    console.log(
      `  ${name.padEnd(10)} ${side.seconds.toFixed(3)} s, processors ${side.cpuSeconds.toFixed(3)} s, at most ${side.peakMb.toFixed(0)} MB`,
    );
  line('ours', ours);
  const onGpu = on.device !== 'cpu';
  if (onGpu) {
    const images = work === 'decoder' ? '' : `, ${(sizes.batch / ours.seconds).toPrecision(3)} images/s`;
    const memory = ours.gpuMb === undefined ? '' : `, ${ours.gpuMb.toFixed(0)} MB there`;
    console.log(
      `  on ${on.device} by ${on.backend}${images}${memory}; first pass ${on.firstSeconds.toFixed(2)} s, compiling included`,
    );
  }
  if (reference) line('reference', reference);
  if (reference)
    console.log(`  ${ratio.toFixed(2)} times as fast, by processor time ${cpuRatio.toFixed(2)} times (medians of pairs)`);
  if (on.ofWhole !== undefined)
    console.log(
      `  ${(100 * on.ofWhole).toFixed(0)} % of our own whole pass; blocks of the backbone that ran: ${on.backboneBlocks}`,
    );
  console.log(`  floor ${floor.toFixed(3)} s: ${gflop.toPrecision(3)} GFLOP at ${rate.toPrecision(3)} GFLOP/s`);
  const parts = Object.entries(stages).sort(([, a], [, b]) => b - a);
  const label = onGpu ? 'by stage, of asking the GPU' : 'by stage'; // which computes behind it
  console.log(`  ${label}: ${parts.map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`).join(', ')}`);
}

function tellPipeline() {
  const parts = ['detector', 'encoder', 'decoder'].map((work) => results[work]);
  if (parts.some((part) => part === undefined)) return;
  const sum = (pick) => parts.reduce((total, part) => total + pick(part), 0);
  const ours = sum((part) => part.ours.seconds);
  console.log(`whole pipeline, one prompt, ${options.sizes.boxes} box(es): ours ${ours.toFixed(2)} s`);
  if (parts.every((part) => part.reference)) {
    const theirs = sum((part) => part.reference.seconds);
    const work = sum((part) => part.reference.cpuSeconds) / sum((part) => part.ours.cpuSeconds);
    console.log(
      `  reference ${theirs.toFixed(2)} s: ${(theirs / ours).toFixed(2)} times, by processor time ${work.toFixed(2)} times`,
    );
  }
}
