import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Dataset, PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import type { LoadOptions } from '../../src/infer/index.js';
import { mean } from '../../src/metrics/index.js';
import { type Means, meansOf, type TargetRow } from '../../src/protocols/index.js';
import { type RunConfig, runConfigSchema, runTraining } from '../../src/train/index.js';
import { evaluateStrictly } from '../../src/workflows/evaluate/evaluate-strictly.js';
import { openModels } from '../../src/workflows/evaluate/methods.js';
import { leakOf, useBackend } from '../support/backend.js';

useBackend();

const DETECTOR = 'weights/nano-grounding-dino';
const MASKER = 'weights/nano-sam2';
const phantoms = (size: number, seed: number, empty = false): Dataset => {
  const domain = phantomDomains['shifted'] as PhantomDomain;
  const made = new PhantomDataset({ size, seed, width: 64, height: 56, domain });
  return empty ? { name: 'empty', size, load: async (i) => ({ ...(await made.load(i)), objects: [] }) } : made;
};
/** Some images of the validation part show two things. */
const data = { train: phantoms(4, 1), val: phantoms(3, 16), test: phantoms(2, 3) };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-scores-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const config = (name: string, monitor: string, changes: object = {}) =>
  runConfigSchema.parse({
    run: { dir: join(dir, name), seed: 5 },
    model: { detector: DETECTOR, masker: MASKER },
    data: { format: 'phantom' },
    lora: { preset: 'paper', rank: 4, alpha: 4 },
    train: { epochs: 2, stepsPerEpoch: 2, batchSize: 2, learningRate: 3e-3, warmupSteps: 1, ema: 0.5, preflight: false, monitor },
    eval: { threshold: 0.1, select: 'best-per-phrase' },
    ...changes,
  });

async function epochsOf(name: string): Promise<Record<string, number | boolean>[]> {
  const lines = (await readFile(join(dir, name, 'log.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'epoch');
}

/** What the evaluation of the validation images comes to. */
async function evaluated(run: RunConfig, models: LoadOptions): Promise<{ rows: readonly TargetRow[]; means: Means }> {
  const method = await openModels(run, 'tuned', models);
  const [evaluation] = await evaluateStrictly([{ dataset: data.val, methods: [method] }], run);
  const rows = evaluation?.rows ?? [];
  return { rows, means: meansOf(rows) };
}

describe('a run that is monitored by a score', () => {
  it.each(['val.dsc', 'val.boxIou'])('keeps the detector with the highest %s, as evaluated', async (monitor) => {
    const asked = config(monitor, monitor);
    expect(asked.train.monitorMode).toBe('max');
    let best = Number.NaN;
    let folder = '';
    const leak = await leakOf(async () => {
      ({ bestValue: best, bestDir: folder } = await runTraining(asked, data));
    });
    expect(leak).toBe(0);
    const term = monitor.slice(4) as 'dsc' | 'boxIou';
    const epochs = await epochsOf(monitor);
    expect(epochs).toHaveLength(2);
    expect(best).toBe(Math.max(...epochs.map((epoch) => epoch[term] as number)));

    const { rows, means } = await evaluated(asked, { detector: DETECTOR, masker: MASKER, adapter: folder });
    expect(best).toBeGreaterThan(0);
    expect(best).toBeCloseTo(means[term], 6);
    // An image that shows two things weighs no more than one that shows one.
    const overTargets = mean(rows.filter(({ shown }) => shown).map(({ dsc }) => dsc));
    expect(Math.abs(means.dsc - overTargets)).toBeGreaterThan(1e-4);
  });

  it('keeps the masker whose masks of the ground-truth boxes are best', async () => {
    const asked = config('masker', 'val.dsc', { task: 'masker', lora: { preset: 'mask-decoder', rank: 2, alpha: 2 } });
    let best = Number.NaN;
    let folder = '';
    const leak = await leakOf(async () => {
      ({ bestValue: best, bestDir: folder } = await runTraining(asked, data));
    });
    expect(leak).toBe(0);
    const { means } = await evaluated(asked, { detector: DETECTOR, masker: MASKER, maskerAdapter: folder });
    expect(best).toBeGreaterThan(0.3);
    expect(best).toBeCloseTo(means.dscWithGroundTruthBox, 6);
  });

  it('says what cannot be asked', async () => {
    const masker = config('boxes', 'val.boxIou', { task: 'masker', lora: undefined });
    await expect(runTraining(masker, data)).rejects.toThrow('train.monitor: a masker is given its boxes: there is no val.boxIou');
    const nothing = runTraining(config('nothing', 'val.boxIou'), { ...data, val: phantoms(2, 4, true) });
    await expect(nothing).rejects.toThrow('no image of the val split shows an object');
    const wrong = runTraining(config('wrong', 'val.dcs'), data);
    await expect(wrong).rejects.toThrow(/there is no val.dcs. Choose one of val.loss, .*val.class,.* val.dsc, val.boxIou/);
  });

  it('minimises losses by default, and maximises on request', () => {
    expect(config('', 'val.loss').train.monitorMode).toBe('min');
    expect(config('', 'val.overlap').train.monitorMode).toBe('max');
    expect(config('', 'val.dsc', { train: { monitor: 'val.dsc', monitorMode: 'min' } }).train.monitorMode).toBe('min');
  });
});
