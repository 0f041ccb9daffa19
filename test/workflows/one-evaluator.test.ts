import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { truthRuns } from '../../src/eval/constant-mask.js';
import { constantMaskBaseline } from '../../src/eval/index.js';
import { encodePng, maskToPng } from '../../src/imaging/index.js';
import { type RunConfig, runConfigSchema } from '../../src/train/index.js';
import { writeFileAtomic } from '../../src/util/index.js';
import { evaluateStrictly } from '../../src/workflows/evaluate/evaluate-strictly.js';
import { evaluateRun, readMetrics, runExperiment } from '../../src/workflows/index.js';
import { useBackend } from '../support/backend.js';
import { answered, datasetOf, methodOf, object, rectangle, sample } from '../support/eval.js';

useBackend();

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-one-evaluator-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** One image shows one thing, which is found; the other shows three, which are not. */
const uneven = [
  sample('one', [object('cyst', [2, 2, 10, 10])], { phrases: ['cyst', 'nerve', 'vein'] }),
  sample('three', [object('cyst', [2, 2, 10, 10]), object('nerve', [14, 2, 22, 10]), object('vein', [26, 2, 34, 10])]),
];

const run = (name: string, more: object = {}): RunConfig =>
  runConfigSchema.parse({
    run: { dir: join(dir, name), seed: 5 },
    data: { format: 'phantom', phantom: { domain: 'shifted', size: { width: 64, height: 56 }, train: 4, val: 2, test: 4 } },
    lora: { targetModules: ['model.text_projection'] },
    train: { epochs: 1, stepsPerEpoch: 1, batchSize: 2, probe: 'none', preflight: false },
    eval: { threshold: 0.1, select: 'best-per-phrase' },
    ...more,
  });

describe('training and evaluation', () => {
  it('come to the same figures of the same models, from the same answers', async () => {
    const config = run('run');
    const { test, folds } = await runExperiment(config);
    expect(folds).toBeUndefined();
    expect(test.images).toBe(4);
    const lines = (await readFile(join(config.run.dir, 'per-image.csv'), 'utf8')).trim().split('\r\n');
    expect(lines.length).toBeGreaterThan(4);

    const answers = join(config.run.dir, 'predictions');
    const strictAnswers = (await readdir(answers, { recursive: true })).filter((name) => name.endsWith('.json'));
    expect(strictAnswers.length).toBeGreaterThanOrEqual(4);
    const old = new Date(2001, 1, 1);
    for (const name of strictAnswers) await utimes(join(answers, name), old, old);
    await evaluateRun(config);
    const metrics = await readMetrics(join(config.run.dir, 'metrics.json'));
    expect(metrics?.strict?.pooled).toEqual(test);
    expect(metrics?.test).toEqual(test);
    for (const name of strictAnswers) expect((await stat(join(answers, name))).mtime).toEqual(old);
  });

  it('test each image of a cross-validation once, with the prompts of the whole', async () => {
    const root = join(dir, 'images');
    for (let i = 0; i < 10; i++) {
      const [x, image] = [10 + 3 * i, { width: 64, height: 56, data: new Uint8Array(64 * 56 * 3).fill(60) }];
      const mask = rectangle([x, 14, x + 20, 34], image);
      for (const [at, inside] of mask.data.entries()) if (inside === 1) image.data.fill(180 + i, 3 * at, 3 * at + 3);
      await writeFileAtomic(join(root, 'images', `${i}.png`), await encodePng(image));
      await writeFileAtomic(join(root, 'masks', `${i}.png`), await maskToPng(mask));
    }
    const data = { format: 'folders', root, prompt: 'cyst', allowOverlap: true };
    const config = run('folds', { data, eval: { threshold: 0.1, select: 'best-per-phrase', folds: 2 } });
    const { test, folds = [] } = await runExperiment(config);
    expect(folds).toHaveLength(2);
    expect(folds.reduce((sum, { images }) => sum + images, 0)).toBe(test.images);
    const weighted = folds.reduce((sum, { dsc, n }) => sum + (dsc ?? Number.NaN) * n, 0) / test.n;
    expect(test.dsc).toBeCloseTo(weighted, 1);
    await evaluateRun(config);
    expect((await readMetrics(join(config.run.dir, 'metrics.json')))?.strict?.pooled).toEqual(test);
  });
});

describe('the figures of a training', () => {
  const finder = methodOf('ours', ({ id, objects }) =>
    id === 'one' ? objects.map(({ phrase, boxXyxyPx }) => answered(phrase, 0.9, boxXyxyPx)) : [],
  );

  it('weigh images alike, however many things they show', async () => {
    const [evaluation] = await evaluateStrictly([{ dataset: datasetOf(uneven), methods: [finder] }], run('never'));
    // One target of four was found, in one image of two.
    expect(evaluation?.score).toMatchObject({ dsc: 50, iou: 50, n: 2, images: 2, falseNegatives: 1 });
  });

  it('are null, not 0, for a split without an image', async () => {
    const [empty, whole] = await evaluateStrictly(
      [datasetOf([]), datasetOf(uneven)].map((dataset) => ({ dataset, methods: [finder] })),
      run('never'),
    );
    expect(empty?.score).toMatchObject({ dsc: null, iou: null, n: 0, images: 0 });
    expect(whole?.score.dsc).toBe(50);
    const [nothing] = await evaluateStrictly([{ dataset: datasetOf([]), methods: [finder] }], run('never'));
    expect(nothing?.score).toMatchObject({ dsc: null, n: 0 });
  });

  it('stand beside a constant mask that is averaged as they are', async () => {
    const train = datasetOf([uneven[1] as (typeof uneven)[number]]);
    const other = sample('one', [object('cyst', [20, 20, 28, 28])]);
    const test = datasetOf([other, uneven[1] as (typeof uneven)[number]]);
    const { dsc, structures } = await constantMaskBaseline([{ train, test }]);
    // The masks of the one training image miss the first image and fit the second.
    expect(structures['nerve']).toBeGreaterThan(90);
    expect(structures['cyst']).toBeCloseTo((structures['nerve'] ?? 0) / 2, 0);
    expect(dsc).toBeCloseTo((structures['nerve'] ?? 0) / 2, 0);
    const shown = [other, uneven[1] as (typeof uneven)[number]];
    expect(await constantMaskBaseline([{ train, test: shown.map(truthRuns) }])).toEqual({ dsc, structures });
    // Folds are pooled by their images.
    const two = await constantMaskBaseline([
      { train, test: datasetOf([other]) },
      { train, test: datasetOf([uneven[1] as (typeof uneven)[number]]) },
    ]);
    expect(two).toEqual({ dsc, structures });
    expect(await constantMaskBaseline([{ train: datasetOf([]), test: datasetOf([other]) }])).toMatchObject({ dsc: null });
    expect((await constantMaskBaseline([{ train, test: datasetOf([]) }])).dsc).toBeNull();
  });
});
