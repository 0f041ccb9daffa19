/**
 * Processor time of an evaluation, with the models' share apart: one run computes the answers, further ones read them from their
 * cache and do everything else. Compares metrics.json too: a faster evaluation has the same figures.
 *
 *   node bench/eval.mjs --config FILE [--split val] [--set a.b=c]… [--runs 3] [--against DIR]
 *
 * DIR is another checkout, set up and built, to compare with.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, tell, treesOf } from './lib/commands.mjs';

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    split: { type: 'string', default: 'val' },
    set: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '3' },
    against: { type: 'string' },
  },
});
if (values.config === undefined) throw new Error('name a configuration: --config configs/ultrasound.yaml --set data.root=DIR');

const dir = mkdtempSync(join(tmpdir(), 'sonoground-eval-'));
try {
  const trees = treesOf(values.against);
  const argvOf = (run) => ['eval', '--config', values.config, '--split', values.split, '--set', ...values.set, `run.dir=${run}`];
  const runOf = (k) => join(dir, String(k));
  const first = await runCommand(trees[0], argvOf(runOf(0)));
  // The same answers for all: models that compute in other ways are not compared here.
  for (const k of trees.keys())
    if (k > 0) cpSync(join(runOf(0), 'predictions'), join(runOf(k), 'predictions'), { recursive: true });
  const costs = trees.map(() => []);
  for (let run = 0; run < Number(values.runs); run++)
    for (const [k, tree] of trees.entries()) costs[k].push(await runCommand(tree, argvOf(runOf(k))));
  tell('all but the models', costs, ({ cpu }) => cpu, 's of processor time');
  tell('all but the models', costs, ({ peakMb }) => peakMb, 'MB at most');
  const scoring = Math.min(...costs[0].map(({ cpu }) => cpu));
  process.stdout.write(`the models: ${(first.cpu - scoring).toFixed(1)} s of processor time, with their answers written\n`);
  const figures = trees.map((_, k) => readFileSync(join(runOf(k), metricsName(values.split)), 'utf8').replaceAll(runOf(k), ''));
  if (figures.some((text) => text !== figures[0])) throw new Error('the figures of the two differ');
  if (figures.length > 1) process.stdout.write('the figures are equal\n');
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function metricsName(split) {
  return split === 'test' ? 'metrics.json' : `metrics-${split}.json`;
}
