/** One measurement: our side alone, or in turns with eager PyTorch and then with each peer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/lib/places.mjs';
import { differencesOf, disagreement, shapeMismatch } from './agreement.mjs';
import { dist } from './dist.mjs';
import { circumstances } from './ledger.mjs';
import { startReference, startSide } from './sides.mjs';
import { median, ratiosOf, summaryOf } from './statistics.mjs';
import { againstPeers, answerOf, outputsOf, takeTurns } from './turns.mjs';
import { METHODS, SCRIPTS, workOf } from './works.mjs';

/** Resolves to the line of the ledger. */
export async function measure(work, sizes, options) {
  const folder = mkdtempSync(join(tmpdir(), 'sonoground-bench-'));
  const sides = [];
  try {
    return await measureIn(folder, work, sizes, options, sides);
  } finally {
    await Promise.all(sides.map((side) => side.end()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder, work, sizes, options, sides) {
  const { process: kind, before, whole, question: questionOf } = workOf(work);
  const question = questionOf(sizes);
  const reference = options.alone ? undefined : await startReference(...SCRIPTS[kind](sizes, folder));
  if (reference) sides.push(reference);
  else if (options.peers.length > 0) console.log(`${work}: without peers, which run the model of the reference`);
  const ours = await startOurs(kind, reference ? folder : 'random', sizes, options);
  sides.push(ours);
  const { rate, backend, device } = await answerOf(ours, 'rate');
  const begun = circumstances();
  for (const side of sides) if (before) await answerOf(side, before);
  const { readSafetensors: read } = await dist('weights/formats/index.js');
  const expected = reference && (await outputsOf(reference, question, join(folder, 'outputs.safetensors'), read));
  // The weights of the losses differ: tools/parity compares training.
  const comparable = expected !== undefined && kind !== 'train-step';
  const difference = comparable
    ? differenceOfOurs(expected, await outputsOf(ours, question, join(folder, 'outputs-ours.safetensors'), read), work)
    : undefined;
  const share = whole !== undefined && !options.scaling;
  const questions = [
    [ours, question],
    ...(reference ? [[reference, question]] : []),
    ...(share ? [[ours, whole]] : []),
    ...(ours.compiles ? [[ours, `eager ${question}`]] : []),
  ];
  const { passes, first, others } = await takeTurns(questions, options.runs);
  const { gflop } = await answerOf(ours, `floor ${question}`);
  const [own] = passes;
  const wholes = share ? passes[reference ? 2 : 1] : undefined;
  const eager = ours.compiles ? passes.at(-1) : undefined;
  const { threads, ...shown } = Object.hasOwn(METHODS, work) ? { threads: sizes.threads } : sizes;
  const record = {
    ...begun,
    device,
    others,
    threads,
    work,
    sizes: shown,
    runs: options.runs,
    ours: summaryOf(own),
    ...(reference && {
      reference: { version: reference.version, ...summaryOf(passes[1]) },
      ...ratiosOf(own, passes[1]),
      ...(difference && { difference }),
    }),
    ...(share && {
      ofWhole: median(own.map((pass, i) => pass.seconds / wholes[i].seconds)),
      backboneBlocks: (eager ?? own).at(-1).blocks['model.backbone'] ?? 0,
    }),
    gflop,
    rate,
    floor: gflop / rate,
    stages: own.at(-1).stages,
    ...(eager && { eager: { ...summaryOf(eager), ...ratiosOf(own, eager), stages: eager.at(-1).stages } }),
    ...((device !== 'cpu' || backend !== 'tensorflow') && { backend, firstSeconds: first[0].seconds }),
  };
  if (!reference || options.peers.length === 0 || whole !== undefined) return record;
  await reference.end(); // frees its memory
  const peers = options.peers.filter(({ kinds }) => kinds.includes(kind));
  const { runs, python } = options;
  record.peers = await againstPeers(peers, ours, {
    work,
    kind,
    sizes,
    question,
    before,
    runs,
    folder,
    python,
    expected,
    read,
    say: console.error,
  });
  return record;
}

/** @throws Error if our outputs are not those of the reference. */
function differenceOfOurs(expected, outputs, work) {
  const mismatch = shapeMismatch(expected, outputs);
  if (mismatch !== undefined) throw new Error(`${work}: our side computes something else: ${mismatch}`);
  const difference = differencesOf(expected, outputs);
  const wrong = disagreement(difference, 'float32', work);
  if (wrong !== undefined) throw new Error(`${work}: our side ${wrong}`);
  return difference;
}

/**
 * Runs our side alone over many images.
 *
 * @returns memory of the process in MB, number and bytes of tensors: early and late, and the largest memory.
 */
export async function measureMemory(work, sizes, { backend, memory }) {
  const { process: kind, before, question } = workOf(work);
  const ours = await startOurs(kind, 'random', sizes, { backend });
  try {
    if (before) await answerOf(ours, before);
    return await answerOf(ours, `memory ${memory} ${question(sizes)}`);
  } finally {
    await ours.end();
  }
}

async function startOurs(kind, from, sizes, { backend }) {
  const script = join(root, 'bench', 'lib', 'ours.mjs');
  const args = [script, kind, from, String(sizes.side), String(sizes.batch), backend, sizes.model ?? 'tiny'];
  const side = await startSide(process.execPath, args);
  if (side.refused !== undefined) throw new Error(`our side of ${kind} did not start: ${side.refused}`);
  return side;
}
