import { AsyncResource } from 'node:async_hooks';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { mean } from '../../src/metrics/index.js';
import { runConfigSchema, withRunLock } from '../../src/train/index.js';
import { silentLogger } from '../../src/util/index.js';
import { openRunFolds } from '../../src/workflows/evaluate/run-folds.js';
import {
  type DemoConfig,
  type DemoMetrics,
  type DemoResult,
  demoSchema,
  readMetrics,
  runDemo,
} from '../../src/workflows/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { runCommand } from '../support/command.js';

useBackend();

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-demo-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The shipped demo, with two images a question and one step a training. */
function tiny(name: string): Promise<DemoConfig> {
  const short = ['detector', 'masker'].flatMap((model) => [
    ...[`${model}.train.epochs=1`, `${model}.train.stepsPerEpoch=1`, `${model}.train.batchSize=1`],
    ...[`${model}.train.workers=0`, `${model}.train.preflight=false`],
  ]);
  const data = 'data.sets=[{name: hc18}, {name: phantoms, phantom: {train: 2, val: 1, test: 1}}]';
  return loadConfig('configs/demo.yaml', demoSchema, [`run.dir=${join(dir, name)}`, 'judged.most=2', data, ...short]);
}

describe('the demo', () => {
  const stages: string[] = [];
  let result: DemoResult;
  let leaked: number;
  beforeAll(async () => {
    const config = await tiny('run');
    leaked = await leakOf(async () => {
      result = await runDemo(config, {
        logger: silentLogger,
        onProgress: (stage) => stages.at(-1) === stage || stages.push(stage),
      });
    });
  });

  it('evaluates, trains both models, and evaluates again', () => {
    expect(stages).toEqual(['before', 'detector', 'masker', 'after']);
    expect(result.learntFrom).toBe(60);
  });

  it('leaves no tensor behind', () => {
    expect(leaked).toBe(0);
  });

  it('gives the scores before and after in percent, and those of structures known before', async () => {
    const { before, after, constantMask, retained, training } = (await readMetrics(result.metricsFile)) as DemoMetrics;
    for (const summary of [before, after]) expect(summary).toMatchObject({ images: 2, n: 2, dsc: expect.any(Number) });
    expect(Object.keys(after.structures)).toEqual(['fetal head']);
    // The best constant mask of 60 heads covers about half of each of these two.
    expect(constantMask.dsc).toBeCloseTo(49.6, 1);
    expect(Object.keys(retained.before.datasets)).toEqual(['usgra-seg', 'phantom-standard']);
    expect([retained.before.pooled.images, retained.after.pooled.images]).toEqual([4, 4]);
    const dscOf = (name: string, of: 'before' | 'after') => retained[of].datasets[name]?.dsc ?? Number.NaN;
    const lost = Object.keys(retained.before.datasets).map((name) => dscOf(name, 'before') - dscOf(name, 'after'));
    expect(retained.lost).toBeCloseTo(Math.max(...lost), 1);
    expect(training.map(({ task, steps }) => [task, steps])).toEqual([
      ['detector', 1],
      ['masker', 1],
    ]);
  });

  it('shows both trainings, the retained datasets, and each image before and after on an evaluation’s page', async () => {
    const html = await readFile(result.reportFile, 'utf8');
    for (const words of ['Loss of the detector', 'Loss of the masker', 'usgra-seg', 'phantom-standard', 'one mask'])
      expect(html).toContain(words);
    // As every page of evaluations: nothing is asked of any network.
    expect(html).toContain("default-src 'none'");
    expect(html.match(/<article class="card"/g)).toHaveLength(2);
    const panels = [...html.matchAll(/<span>(image|truth|before|after)<\/span>/g)].map(([, name]) => name);
    expect(panels).toEqual([...Array(2)].flatMap(() => ['image', 'truth', 'before', 'after']));
    expect(await readdir(join(dir, 'run', 'overlays'))).toHaveLength(2);
  });

  it('writes the rows that its figures are made of', async () => {
    const [header = '', ...lines] = (await readFile(join(dir, 'run', 'per-image.csv'), 'utf8')).trim().split('\r\n');
    const columns = header.split(',');
    const cell = (line: string, name: string) => line.split(',')[columns.indexOf(name)] ?? '';
    for (const name of ['before', 'after'] as const) {
      const own = lines.filter((line) => cell(line, 'method') === name && cell(line, 'dataset') === 'hc18');
      expect(own).toHaveLength(2);
      expect(result[name].dsc).toBeCloseTo(mean(own.map((line) => Number(cell(line, 'dsc')))), 1);
    }
  });

  it('leaves a run whose evaluation uses both adapters', async () => {
    const config = await loadConfig(join(dir, 'run', 'config.yaml'), runConfigSchema);
    const [part] = await openRunFolds(config);
    expect(part?.trained).toBe(true);
    expect(part?.models).toMatchObject({
      adapter: join(dir, 'run', 'detector', 'best'),
      maskerAdapter: join(dir, 'run', 'masker', 'best'),
    });
    expect(part?.data.test.size).toBe(120);
  });

  it('says in a line that another one runs in its folder', async () => {
    const config = await tiny('taken');
    // What runs within a lock may take it again: the demo has to be asked for from outside.
    const ask = AsyncResource.bind(() => runDemo(config, { logger: silentLogger, onProgress: () => {} }));
    await withRunLock(config.run.dir, () => expect(ask()).rejects.toThrow(/choose another run\.dir/));
  });

  it.each([
    ['data.phantom.domain=nowhere detector.train.epoch=2', /detector\.train.*epoch/],
    ['judged.learnt=nowhere', /nowhere.*annotations/],
    ['train.epochs=2', /train/],
  ])('demo --set %s names what is wrong', async (words, expected) => {
    const { code, text } = await runCommand(['demo', '--set', `run.dir=${join(dir, 'wrong')}`, ...words.split(' ')]);
    expect(code).not.toBe(0);
    expect(text).toMatch(expected);
    expect(text).not.toMatch(/^\s+at /m);
  });
});
