import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { SamusPredictor } from '../../src/infer/index.js';
import { findMethod, type PointEntry } from '../../src/methods/index.js';
import { runConfigSchema } from '../../src/train/index.js';
import { answerShard, evaluateRun } from '../../src/workflows/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('evaluate-methods');
const weights = fixturePath('sam-windows');

const config = runConfigSchema.parse({
  run: { dir: join(dir, 'run'), seed: 3 },
  model: { detector: 'weights/nano-grounding-dino', masker: 'weights/nano-sam2' },
  data: { format: 'phantom', phantom: { train: 1, val: 1, test: 2, size: { width: 64, height: 48 } } },
});

const escaped = (text: string) => text.replace(/[()]/g, '\\$&');

describe('evaluating methods of the comparison', () => {
  it('gives each a row for the oracle, for our detector and for the published form, in every table and file', async () => {
    const before = tf.memory().numTensors;
    const { summaries } = await evaluateRun(config, {
      methods: [{ name: 'medsam', weights, asPublished: true }],
      tables: [3],
    });
    expect(tf.memory().numTensors).toBe(before);
    const names = [
      'ours',
      'medsam (oracle box)',
      'medsam (our box)',
      'medsam as published (oracle box)',
      'medsam as published (our box)',
    ];
    expect(summaries.map(({ method }) => method)).toEqual(names);

    const { strict, methods, comparisons } = JSON.parse(await readFile(join(config.run.dir, 'metrics.json'), 'utf8'));
    expect(strict.datasets['phantom-standard']).toMatchObject({ dsc: expect.any(Number), iou: expect.any(Number) });
    expect(methods['medsam (oracle box)']).toMatchObject({
      given: 'box (oracle)',
      seen: { 'phantom-standard': 'unknown' },
      strict: { datasets: { 'phantom-standard': { falseNegatives: expect.any(Number), ap: null } } },
      paper: { datasets: { 'phantom-standard': { n: expect.any(Number) } } },
    });
    // Our detector's boxes have the precision that they have with our own masker.
    expect(methods['medsam (our box)'].strict.pooled.ap).toBe(strict.pooled.ap);
    expect(comparisons.map((one: { methods: string[] }) => one.methods.join())).toContain('ours,medsam (oracle box)');

    const table = async (id: string) => readFile(join(config.run.dir, 'tables', `${id}.csv`), 'utf8');
    const scores = (await table('scores')).split('\r\n');
    expect(scores.find((line) => line.startsWith('ours,'))).toMatch(/,text,training split$/);
    expect(scores.find((line) => line.startsWith('medsam (oracle box),'))).toMatch(/,box \(oracle\),unknown$/);
    expect(scores.find((line) => line.startsWith('medsam (our box),'))).toMatch(/,box \(our detector\),unknown$/);
    expect(await readFile(join(config.run.dir, 'tables', 'scores.md'), 'utf8')).toContain('permute(0, 2, 1)');
  });

  it('gives a method of points a row for each way to draw them and for the centres of our boxes', async () => {
    const before = tf.memory().numTensors;
    const points = { ...config, run: { ...config.run, dir: join(dir, 'points') } };
    const { summaries } = await evaluateRun(points, {
      methods: [{ name: 'samus', weights: fixturePath('samus', 'published.pth') }],
      points: [{ way: 'fixed' }, { way: 'random', seed: 5 }],
      tables: [3],
    });
    expect(tf.memory().numTensors).toBe(before);
    const given = {
      ours: 'text',
      'samus (oracle point)': 'point (oracle)',
      'samus (oracle point, random, seed 5)': 'point (oracle, random, seed 5)',
      'samus (centre of our box)': 'point (centre of our detector’s box)',
    };
    expect(Object.fromEntries(summaries.map((one) => [one.method, one.given]))).toEqual(given);
    const { strict, methods } = JSON.parse(await readFile(join(points.run.dir, 'metrics.json'), 'utf8'));
    expect(Object.keys(methods)).toEqual(Object.keys(given).slice(1));
    expect(methods['samus (centre of our box)'].strict.pooled.ap).toBe(strict.pooled.ap);
    const scores = await readFile(join(points.run.dir, 'tables', 'scores.csv'), 'utf8');
    expect(scores).toMatch(/^samus \(oracle point\),.*,point \(oracle\),unknown\r$/m);
  });

  it('adds the published form of those methods alone that have one, where several are asked for, and times them all', async () => {
    const samus = { name: 'samus', weights: fixturePath('samus', 'published.pth'), asPublished: true };
    const medsam = { name: 'medsam', weights, asPublished: true };
    const run = { ...config, run: { ...config.run, dir: join(dir, 'forms') } };
    const stages: string[] = [];
    const onProgress = (stage: string, done: number, total: number) => void stages.push(`${stage} ${done}/${total}`);
    const { summaries } = await evaluateRun(run, { methods: [samus, medsam], tables: [6], onProgress });
    const names = summaries.map(({ method }) => method).filter((name) => name.includes('oracle'));
    expect(names).toEqual(['samus (oracle point)', 'medsam (oracle box)', 'medsam as published (oracle box)']);
    const timed = await readFile(join(run.run.dir, 'tables', 'table-6.csv'), 'utf8');
    for (const { method, given } of summaries.slice(1))
      expect(timed).toMatch(new RegExp(`^${escaped(method)},.*given: ${escaped(given ?? '')}`, 'm'));
    expect(stages.filter((one) => one.startsWith('timing')).at(-1)).toBe('timing 7/7');
  });

  it('prints random weights in place of figures, in no mean, comparison or file of metrics', async () => {
    // Small ones: those of the published size take minutes.
    const small = () => SamusPredictor.load(fixturePath('samus', 'published.pth'));
    const replaced = jest.spyOn(findMethod('samus') as PointEntry, 'create').mockImplementation(small);
    const phantom = { ...config.data.phantom, test: 11 };
    const run = { ...config, data: { ...config.data, phantom }, run: { ...config.run, dir: join(dir, 'random') } };
    const { summaries, comparisons } = await evaluateRun(run, { methods: [{ name: 'samus', weights: 'random' }], tables: [3] });
    replaced.mockRestore();
    const names = ['samus, random weights (oracle point)', 'samus, random weights (centre of our box)'];
    expect(summaries.slice(1).map(({ method }) => method)).toEqual(names);
    for (const { strict, paper, untrained } of summaries.slice(1)) {
      expect(untrained).toEqual({ 'phantom-standard': 10 });
      expect([strict.overall.dsc, strict.pooled.dsc, paper.pooled.dsc]).toEqual([null, null, null]);
    }
    expect(comparisons).toEqual([]);
    const { methods } = JSON.parse(await readFile(join(run.run.dir, 'metrics.json'), 'utf8'));
    expect(methods).toEqual({});
    const table = (id: string) => readFile(join(run.run.dir, 'tables', `${id}.csv`), 'utf8');
    const line =
      /^"?samus, random weights \(oracle point\)"?,phantom-standard,random weights,,+10,,random weights,,,point \(oracle\),no\r$/m;
    expect(await table('scores')).toMatch(line);
    expect(await table('table-3')).toMatch(
      /^phantom-standard,"samus, random weights \(oracle point\)",random weights,,random weights,,10,,point \(oracle\),no,not one/m,
    );
    const images = await readFile(join(run.run.dir, 'per-image.csv'), 'utf8');
    expect(
      images.split('\r\n').filter((row) => row.includes(names[0] as string) && row.includes(',strict,')).length,
    ).toBeGreaterThanOrEqual(10);
  });

  it('refuses an unknown method, and weights that are missing or of another model, before the data is read', async () => {
    const run = { ...config.run, dir: join(dir, 'refused') };
    const fresh = runConfigSchema.parse({ ...config, run, data: { format: 'coco', root: join(dir, 'no-data') } });
    const refusals = [
      [{ name: 'mesdam' }, { code: 'E_METHOD_UNKNOWN', what: 'medsam' }],
      [
        { name: 'samus', weights, asPublished: true },
        { code: 'E_OPTION_CONFLICT', where: 'samus' },
      ],
      [
        { name: 'medsam', weights: fixturePath('sam2-stable') },
        { code: 'E_METHOD_WEIGHTS', fix: 'medsam takes boxes' },
      ],
      [{ name: 'medsam', weights: join(dir, 'nowhere') }, { code: 'E_MODEL_NOT_FOUND' }],
      // Of two models: the first fits, the second is the first again.
      [
        { name: 'medclip-sam', weights: [fixturePath('biomed-clip'), fixturePath('biomed-clip')].join() },
        { code: 'E_METHOD_WEIGHTS', what: 'model_type sam' },
      ],
      [
        { name: 'medclip-sam', weights },
        { code: 'E_OPTION_VALUE', what: '2 models' },
      ],
    ] as const;
    for (const [method, error] of refusals) {
      await expectError(evaluateRun(fresh, { methods: [method] }), error);
      await expectError(answerShard(fresh, { methods: [method] }, { index: 0, count: 2 }), error);
    }
    // Those that fit get as far as the data.
    const fitting = [
      { name: 'medsam', weights },
      { name: 'samus', weights: 'random' },
    ];
    await expect(evaluateRun(fresh, { methods: fitting })).rejects.toThrow(/no-data/);
  });
});
