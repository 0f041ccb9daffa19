import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { tf } from '../../src/backend/index.js';
import { scoreRows } from '../../src/eval/summary/dataset-score.js';
import { maskToPng } from '../../src/imaging/index.js';
import { PALETTE } from '../../src/imaging/palette.js';
import { presenceVerdict, readCalibration } from '../../src/infer/index.js';
import { openData, type RunConfig, runConfigSchema } from '../../src/train/index.js';
import { type EvaluateRunOptions, evaluateRun } from '../../src/workflows/index.js';
import { writeMetrics } from '../../src/workflows/metrics-file.js';
import { useBackend } from '../support/backend.js';
import { chromiumPath, noBrowser, openBrowser, openPage } from '../support/browser.js';

useBackend();
// Whole evaluations, on machines that do other work besides.

let dir: string;
let config: RunConfig;
const options: EvaluateRunOptions = { split: 'test' };

/** What asks the models more than the scores need. */
const everything = { wordings: new Map([['*', ['mass']]]), negatives: ['spleen'], calibrate: 0.25, trust: true } as const;

/** What training left of figures. */
const trained = { test: { ...scoreRows([], [], 1), dsc: 12.3, iou: 4.5 }, folds: [scoreRows([], [], 1)], training: [] };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-eval-'));
  config = runConfigSchema.parse({
    run: { dir: join(dir, 'run'), seed: 3 },
    data: { format: 'phantom', phantom: { train: 3, val: 3, test: 4, size: { width: 128, height: 112 } } },
  });
  // What a training leaves.
  await mkdir(config.run.dir);
  const epochs = [1, 2, 3].map((epoch) => JSON.stringify({ event: 'epoch', epoch, train: 3 / epoch, val: 4 / epoch }));
  await writeFile(join(config.run.dir, 'log.jsonl'), `${epochs.join('\n')}\n{"event": "ep`);
  await writeMetrics(join(config.run.dir, 'metrics.json'), trained);
  // Another method: the truth for all images but one.
  const { test } = await openData(config.data, config.run.seed);
  await mkdir(join(dir, 'other', test.name), { recursive: true });
  for (let i = 1; i < test.size; i++) {
    const { id, objects, image } = await test.load(i);
    const whole = new Uint8Array(image.width * image.height);
    for (const { mask } of objects) for (const [k, value] of mask.data.entries()) if (value === 1) whole[k] = 1;
    const mask = { width: image.width, height: image.height, data: whole };
    await writeFile(join(dir, 'other', test.name, `${id}.png`), await maskToPng(mask));
  }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const json = async (file: string) => JSON.parse(await readFile(join(config.run.dir, file), 'utf8'));

describe('evaluating a run', () => {
  it('writes figures, tables, images and the page, keeps what training wrote, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const result = await evaluateRun(config, {
      predictions: [`truth=${join(dir, 'other')}`],
      tables: [2, 3, 4, 5, 6],
      figures: [2],
      ...everything,
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(result.summaries.map(({ method }) => method)).toEqual(['ours', 'truth']);

    const metrics = await json('metrics.json');
    expect(metrics).toMatchObject(trained);
    const { strict, paper, methods, prompts, presence, trust, robustness, comparisons, warnings } = metrics;
    expect(Object.keys(strict.datasets)).toEqual(['phantom-standard']);
    for (const score of [strict.datasets['phantom-standard'], paper.datasets['phantom-standard']]) {
      expect(score).toMatchObject({
        dsc: expect.any(Number),
        iou: expect.any(Number),
        std: expect.any(Number),
        n: expect.any(Number),
        falseNegatives: expect.any(Number),
      });
      expect(score.dsc).toBeGreaterThan(score.iou);
    }
    expect(methods.truth.paper.pooled).toMatchObject({ dsc: 100, iou: 100, hd95: 0, nsd: 100 });
    expect(methods.truth.strict.pooled.falseNegatives).toBe(1);
    expect(comparisons.map(({ protocol }: { protocol: string }) => protocol)).toEqual(['strict', 'paper']);
    expect(prompts['phantom-standard'].strict).toContain('prompt');
    expect(warnings.length).toBeGreaterThan(0);
    expect(presence.perPhrase.spleen).toMatchObject({ present: 0, absent: 4 });
    expect(trust.spearman).toHaveProperty('flipAgreement');
    expect(robustness[0].wordings.map(({ wording }: { wording: string }) => wording)).toContain('mass');

    const lines = (await readFile(join(config.run.dir, 'per-image.csv'), 'utf8')).trim().split('\r\n');
    const [header = ''] = lines;
    expect(header.split(',').slice(0, 4)).toEqual(['method', 'protocol', 'dataset', 'image']);
    expect(new Set(lines.map((line) => line.split(',').slice(0, 2).join()))).toEqual(
      new Set(['method,protocol', 'ours,strict', 'ours,paper', 'truth,strict', 'truth,paper']),
    );
    const tables = await readdir(join(config.run.dir, 'tables'));
    for (const id of ['scores', 'comparison', 'wordings', 'review', 'table-2', 'table-3', 'table-4', 'table-5', 'table-6'])
      expect(tables).toEqual(expect.arrayContaining([`${id}.md`, `${id}.csv`, `${id}.tex`]));
    const figure = await sharp(join(config.run.dir, 'figure-2.png')).metadata();
    // Names, image, other, ours and truth.
    expect(figure.width).toBe(120 + 4 * 248 + 8);

    // The shipped weights stay as they are.
    const calibration = await readCalibration(config.run.dir);
    expect(calibration?.targetFalsePositiveRate).toBe(0.25);
    expect(calibration?.overall.falsePositiveRate).toBeLessThanOrEqual(0.25);
    if (calibration === undefined) throw new Error('there is no calibration');
    expect(presenceVerdict(calibration, 'cyst', 1).present).toBe(true);
    expect(presenceVerdict(calibration, 'cyst', 0).present).toBe(false);
  });

  it('caches predictions: a second evaluation gives the same figures and predicts nothing', async () => {
    await evaluateRun(config);
    const first = await json('metrics.json');
    // What was not asked this time is not left over from the last.
    expect(first.robustness).toEqual([]);
    const folder = join(config.run.dir, 'predictions');
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'));
    const old = new Date(2001, 1, 1);
    for (const name of files) await utimes(join(folder, name), old, old);
    await evaluateRun(config, options);
    expect(await json('metrics.json')).toEqual(first);
    for (const name of files) expect((await stat(join(folder, name))).mtime).toEqual(old);

    // A file that was damaged is made again.
    const [victim = ''] = files;
    const whole = await readFile(join(folder, victim), 'utf8');
    await writeFile(join(folder, victim), whole.slice(0, whole.length / 2));
    await evaluateRun(config, { ...options, ...everything });
    const boxesOf = (text: string): { phrase: string; score: number }[] => JSON.parse(text).boxes;
    const again = boxesOf(await readFile(join(folder, victim), 'utf8'));
    expect(again.map(({ phrase }) => phrase)).toEqual(boxesOf(whole).map(({ phrase }) => phrase));
    // Threads add in another order each time.
    for (const [k, { score }] of boxesOf(whole).entries()) expect(again[k]?.score).toBeCloseTo(score, 4);
  });

  it('writes another split into files of its own', async () => {
    const before = await json('metrics.json');
    await evaluateRun(config, { ...options, split: 'val' });
    expect(await json('metrics.json')).toEqual(before);
    expect((await json('metrics-val.json')).evaluated.split).toBe('val');
  });

  it('refuses what cannot be: a folder of masks for other images, a figure without a dataset', async () => {
    await mkdir(join(dir, 'strangers'));
    await writeFile(join(dir, 'strangers', 'nobody.png'), await maskToPng({ width: 2, height: 2, data: new Uint8Array(4) }));
    const strangers = { ...options, predictions: [join(dir, 'strangers')] };
    await expect(evaluateRun(config, strangers)).rejects.toThrow('none of its 1 masks has the name of one of the 4 images');
    await expect(evaluateRun(config, { ...options, predictions: [join(dir, 'nowhere')] })).rejects.toThrow('no mask image');
    const twice = { ...options, predictions: [`truth=${join(dir, 'other')}`, `truth=${join(dir, 'other')}`] };
    await expect(evaluateRun(config, twice)).rejects.toThrow('two methods would be called truth');
    await expect(evaluateRun(config, { ...options, figures: [3] })).rejects.toThrow('an unseen dataset of the paper');
    await expect(evaluateRun(config, { ...options, adapter: join(dir, 'nowhere') })).rejects.toThrow(
      'nowhere/adapter_config.json: there is no such file. Name the folder of an adapter',
    );
    await expect(evaluateRun(config, { ...options, adapter: 'a/b' })).rejects.toThrow('Name the folder of an adapter');
  });
});

const inBrowser = chromiumPath === undefined ? describe.skip : describe;

inBrowser(`the page in a browser${chromiumPath === undefined ? ` (${noBrowser})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it('opens offline without an error, fits a phone, filters and sorts its images', async () => {
    const page = await openPage(browser, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const requests: string[] = [];
    const errors: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    const url = `file://${join(config.run.dir, 'evaluation.html')}`;
    await page.goto(url);
    expect(requests.filter((one) => !one.startsWith('data:'))).toEqual([url]);
    expect(errors).toEqual([]);
    // Nothing sticks out sideways.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await page.locator('section').evaluateAll((all) => all.map(({ id }) => id))).toEqual([
      'scores',
      'distributions',
      'tables',
      'training',
      'words',
      'presence',
      'trust',
      'images',
    ]);
    // Curves of three epochs, training and validation; the damaged line is passed over.
    const curves = await page.locator('#training polyline').evaluateAll((all) => all.map((one) => one.getAttribute('points')));
    expect(curves.map((points) => points?.split(' ').length)).toEqual([3, 3]);

    const scores = () =>
      page.locator('.card:visible').evaluateAll((all) => all.map((card) => Number((card as HTMLElement).dataset['dsc'])));
    const worst = await scores();
    expect(worst.length).toBeGreaterThan(2);
    expect(worst).toEqual([...worst].sort((a, b) => a - b));
    await page.selectOption('#f-sort', 'best');
    expect(await scores()).toEqual([...worst].reverse());
    await page.fill('#f-low', String(worst.at(-1)));
    expect(await scores()).toEqual(worst.filter((dsc) => dsc >= (worst.at(-1) as number)));
    await page.fill('#f-low', '');
    await page.fill('#f-text', 'no such image');
    expect(await scores()).toEqual([]);
    expect(await page.textContent('#f-count')).toBe(`0 of ${worst.length}`);
    await page.fill('#f-text', '');

    // The overlay shows the image with the outlines over it, in one colour a phrase.
    await page.setViewportSize({ width: 1200, height: 900 });
    const card = page.locator('.card').last();
    await card.scrollIntoViewIfNeeded();
    const shot = await card.locator('.panes').screenshot();
    const { data, info } = await sharp(shot).raw().toBuffer({ resolveWithObject: true });
    const key = await page.locator('.legend .key i').first().getAttribute('style');
    expect(key).toBe('background:rgb(230 159 0)');
    const count = (wanted: readonly number[]) => {
      let found = 0;
      for (let i = 0; i < data.length; i += info.channels)
        if (wanted.every((value, c) => Math.abs((data[i + c] as number) - value) < 24)) found += 1;
      return found;
    };
    expect(PALETTE.reduce((sum, colour) => sum + count(colour), 0)).toBeGreaterThan(20);
    await page.close();
  });

  it('runs no script from a file name', async () => {
    const html = await readFile(join(config.run.dir, 'evaluation.html'), 'utf8');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/https?:\/\//);
  });
});
