import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type Dataset, PhantomDataset, type PhantomDomain, phantomDomains, type Sample } from '../../src/data/index.js';
import { drawSupport, type Support } from '../../src/eval/index.js';
import { UniverSegPredictor } from '../../src/infer/index.js';
import type { Exemplar } from '../../src/methods/index.js';
import type { UniverSeg } from '../../src/models/universeg/index.js';
import { loadUniverSeg } from '../../src/pretrained/index.js';
import {
  ExemplarTask,
  openRun,
  type RunConfig,
  runConfigSchema,
  runTraining,
  SupportPool,
  TrainingStopped,
} from '../../src/train/index.js';
import { changeTask } from '../../src/train/tasks/task-augment.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { openExemplarMethod } from '../../src/workflows/evaluate/methods.js';
import { runExperiment } from '../../src/workflows/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const SIDE = 16;
const dir = temporaryFolder('exemplar-task');
const MODEL = join(dir, 'model');
const phantoms = (size: number, seed: number) =>
  new PhantomDataset({ size, seed, width: 24, height: 20, domain: phantomDomains['shifted'] as PhantomDomain });

beforeAll(async () => {
  await mkdir(MODEL);
  const config = { model_type: 'universeg', encoder_blocks: [4, 6, 8], image_size: SIDE };
  await writeFile(join(MODEL, 'config.json'), JSON.stringify(config));
});

/** A dataset of given samples. */
function listed(samples: readonly Sample[]): Dataset {
  return { name: 'listed', size: samples.length, load: async (index) => samples[index] as Sample };
}

/** A sample whose image and mask are a square of the given brightness. */
function square(id: string, brightness: number, { phrase = 'lesion', group }: { phrase?: string; group?: string } = {}): Sample {
  const [width, height] = [SIDE, SIDE];
  const inside = (i: number) => i % width > 3 && i % width < 11 && i > 4 * width && i < 12 * width;
  const mask = { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => Number(inside(i))) };
  const image = { width, height, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (inside(Math.floor(i / 3)) ? brightness : 0)) }; // biome-ignore format: one line
  return { id, dataset: 'listed', image, phrases: [phrase], objects: [{ phrase, boxXyxyPx: [4, 4, 11, 12], mask }], ...(group && { group }) }; // biome-ignore format: one line
}

const brightnessOf = ({ image }: { image: { data: Uint8Array } }) => Math.max(...image.data);

async function taskOf(samples: Dataset, augment: 'none' | 'ultrasound' = 'none', least = 1, most = 3): Promise<ExemplarTask> {
  const { model } = await loadUniverSeg(MODEL, { random: Rng.seeded(2) });
  const pool = await SupportPool.open(samples, SIDE);
  return new ExemplarTask({ model, pool, supports: { least, most }, augment, save: async () => {} });
}

describe('the support of a target', () => {
  it('is drawn from other images of other patients that show the phrase, each once', async () => {
    const samples = [
      square('a', 10, { group: 'p' }),
      square('b', 20, { group: 'p' }),
      square('c', 30, { group: 'q' }),
      square('d', 40),
      square('e', 50, { phrase: 'cyst' }),
      square('c', 30, { group: 'q' }),
    ];
    const pool = await SupportPool.open(listed(samples), SIDE);
    const target = samples[0] as Sample;
    for (let seed = 0; seed < 20; seed++) {
      const drawn = pool.draw('lesion', target, 2, Rng.seeded(seed)).map(brightnessOf);
      expect(drawn.sort()).toEqual([30, 40]);
    }
    expect(pool.draw('lesion', target, 5, Rng.seeded(1)).map(brightnessOf).sort()).toHaveLength(5);
    expect(pool.phrasesOf(samples[4] as Sample)).toEqual([]); // nothing else shows a cyst
    expect(pool.draw('cyst', target, 1, Rng.seeded(1)).map(brightnessOf)).toEqual([50]);
  });

  it('is of the same patient where there is no other', async () => {
    const samples = [square('a', 10, { group: 'p' }), square('b', 20, { group: 'p' })];
    const pool = await SupportPool.open(listed(samples), SIDE);
    expect(pool.draw('lesion', samples[0] as Sample, 1, Rng.seeded(1)).map(brightnessOf)).toEqual([20]);
  });

  it('needs two images of a phrase', async () => {
    const alone = listed([square('a', 10), square('b', 20, { phrase: 'cyst' })]);
    await expectError(SupportPool.open(alone, SIDE), { code: 'E_DATA_NO_OBJECTS', where: 'data listed' });
  });
});

describe('a change of the task', () => {
  it('moves image and mask alike', () => {
    const grey = Float32Array.from({ length: 9 }, (_, i) => i / 8);
    const mask = Float32Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    const same = { mirrored: false, flipped: false, inverted: false, gamma: 1, outside: false };
    changeTask(grey, mask, 3, { ...same, flipped: true });
    expect([...mask]).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0]);
    expect([...grey.subarray(6)]).toEqual([0, 1 / 8, 2 / 8]);
    changeTask(grey, mask, 3, { ...same, mirrored: true, inverted: true, outside: true });
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0]);
    expect([...grey.subarray(6)]).toEqual([6 / 8, 7 / 8, 1]);
  });
});

describe('training UniverSeg', () => {
  it('leaves the number of tensors unchanged, and gives a gradient to all that anything reads', async () => {
    const task = await taskOf(listed([1, 2, 3, 4].map((i) => square(String(i), 40 * i))));
    const samples = [square('1', 40), square('2', 80)];
    const step = async () => {
      const { gradients, total, terms } = await task.step(samples, Rng.seeded(3));
      const { dice = 0, crossEntropy = 0 } = terms;
      expect([dice > 0, dice < 1]).toEqual([true, true]);
      expect(total).toBeCloseTo(dice + crossEntropy, 5);
      expect(gradients.size).toBeGreaterThanOrEqual(task.model.trainableParameters().length - 2);
      tf.dispose([...gradients.values()]);
    };
    expect(await leakOf(step)).toBe(0);
    expect(await leakOf(() => task.loss(samples))).toBe(0);
    expect(await leakOf(() => task.dispose())).toBeLessThan(0);
  });

  it('moves a model that calls every pixel inside, whose Dice loss has no gradient left', async () => {
    const task = await taskOf(listed([1, 2, 3].map((i) => square(String(i), 40 * i))));
    const bias = [...task.model.namedParameters()].find(([path]) => path === 'out_conv.conv.bias')?.[1];
    bias?.assign(tf.tensor1d([60]));
    const { gradients, terms } = await task.step([square('1', 40)], Rng.seeded(3));
    expect(terms['overlap']).toBeCloseTo(56 / 256, 5);
    const [slope = 0] = (await gradients.get(bias as never)?.data()) ?? [];
    expect(slope).toBeGreaterThan(0.1);
    task.dispose();
  });

  it('the validation loss of an image does not depend on its batch, and images without a task count nothing', async () => {
    const task = await taskOf(listed([1, 2, 3, 4].map((i) => square(String(i), 40 * i))));
    const [a, b] = [square('1', 40), square('2', 80)];
    const both = await task.loss([a, b]);
    const apart = await Promise.all([a, b].map((sample) => task.loss([sample])));
    expect(both.total).toBeCloseTo(((apart[0]?.total ?? 0) + (apart[1]?.total ?? 0)) / 2, 5);
    const cyst = square('9', 10, { phrase: 'cyst' });
    expect((await task.loss([a, cyst])).total).toBeCloseTo(apart[0]?.total ?? 0, 5);
    const step = await task.step([a, cyst], Rng.seeded(1));
    expect(step.normaliser).toBe(1);
    tf.dispose([...step.gradients.values()]);
    expect(await task.loss([cyst])).toEqual({ total: 0, terms: {} });
    const nothing = await task.step([cyst], Rng.seeded(1));
    expect([nothing.gradients.size, nothing.normaliser]).toEqual([0, 0]);
    task.dispose();
  });
});

const config = (name: string, changes: object = {}): RunConfig =>
  runConfigSchema.parse({
    task: 'universeg',
    run: { dir: join(dir, name), seed: 5 },
    model: { universeg: MODEL, start: 'random' },
    data: { format: 'phantom', phantom: { domain: 'shifted', size: { width: 24, height: 20 }, train: 16, val: 6, test: 4 } },
    support: { least: 1, most: 3 },
    train: { epochs: 2, stepsPerEpoch: 3, batchSize: 3, learningRate: 3e-3, warmupSteps: 1, ema: 0.9, augment: 'ultrasound', workers: 0 },
    ...changes,
  }); // biome-ignore format: one line

/** Saves a model of random weights whose first answer has about half of its pixels inside, in a folder of its own. */
async function savedWithHalfInside(
  predictor: UniverSegPredictor,
  { exemplars, evaluated }: Support,
  setSupport: (exemplars: readonly Exemplar[]) => Promise<void>,
): Promise<string> {
  const [own] = [...exemplars.values()].flatMap((byPhrase) => [...byPhrase.values()]).filter((list) => list.length > 0);
  await setSupport(own ?? []);
  const { logits } = await predictor.predict((await evaluated.load(0)).image);
  const middle = [...logits.data].sort((a, b) => a - b)[logits.data.length >> 1] as number;
  const { model } = predictor as unknown as { model: UniverSeg };
  const bias = [...model.namedParameters()].find(([path]) => path === 'out_conv.conv.bias')?.[1];
  bias?.assign(tf.tensor1d([-middle]));
  const folder = join(dir, 'half-inside');
  await mkdir(folder);
  await saveCheckpoint(model, join(folder, 'model.safetensors'));
  await copyFile(join(MODEL, 'config.json'), join(folder, 'config.json'));
  return folder;
}

describe('a run of UniverSeg', () => {
  it('that is stopped and resumed ends with the same bytes as one in one go, and is tested by its training images', async () => {
    const { training, test } = await runExperiment(config('one-go'));
    expect(training[0]).toMatchObject({ task: 'universeg', steps: 6, monitor: 'val.loss' });
    expect(test.images).toBe(4);
    const stop = new AbortController();
    const onProgress = ({ step }: { step: number }) => step === 2 && stop.abort();
    await expect(runExperiment(config('resumed'), { signal: stop.signal, onProgress })).rejects.toThrow(TrainingStopped);
    await runExperiment(config('resumed'), { resume: true });
    const bytes = (name: string, file: string) => readFile(join(dir, name, file), 'base64');
    for (const file of ['best/model.safetensors', 'checkpoints/step-00000006.safetensors'])
      expect(await bytes('resumed', file)).toBe(await bytes('one-go', file));
    const { config: sizes } = await loadUniverSeg(join(dir, 'one-go', 'best'));
    expect(sizes).toEqual((await loadUniverSeg(MODEL, { random: Rng.seeded(1) })).config);
  });

  it('is tested as eval tests a UniverSeg: the same exemplars, and the masks and scores of the model alone', async () => {
    const own = config('tested');
    const [data] = await openRun(own.data, own.run.seed, { folds: 0 });
    if (data === undefined) throw new Error('no data');
    const support = await drawSupport(data.train, data.test, { count: 3, seed: own.run.seed, side: SIDE });
    const predictor = new UniverSegPredictor(await loadUniverSeg(MODEL, { random: Rng.seeded(4) }));
    const setSupport = (exemplars: readonly Exemplar[]) =>
      predictor.setSupport(
        exemplars.map(({ image }) => image),
        exemplars.map(({ mask }) => mask),
      );
    const best = await savedWithHalfInside(predictor, support, setSupport);
    const { method, support: drawn } = await openExemplarMethod(own, data, best);
    let masks = 0;
    for (let i = 0; i < drawn.evaluated.size; i++) {
      const sample = await drawn.evaluated.load(i);
      for (const [phrase, exemplars] of support.exemplars.get(sample.dataset) ?? []) {
        if (exemplars.length === 0) continue;
        expect(drawn.exemplars.get(sample.dataset)?.get(phrase)).toEqual(exemplars);
        await setSupport(exemplars);
        const { mask, score } = await predictor.predict(sample.image);
        const [answer] = await method.answer(sample, [phrase]);
        if (mask.data.includes(1)) masks += 1;
        expect([answer?.mask, answer?.score]).toEqual(mask.data.includes(1) ? [mask, score] : [undefined, undefined]);
      }
    }
    expect(masks).toBeGreaterThan(0);
    predictor.dispose();
    await method.dispose();
  });

  it('refuses settings of the other tasks', async () => {
    const data = { train: phantoms(4, 1), val: phantoms(2, 2), test: phantoms(2, 3) };
    const changes = {
      lora: { lora: { preset: 'paper' } },
      'model.adapter': { model: { universeg: MODEL, start: 'random', adapter: 'x' } },
      'train.monitor': { train: { monitor: 'val.dsc' } },
    };
    for (const [where, change] of Object.entries(changes))
      await expectError(runTraining(config('refused', change), data), { code: 'E_CONFIG_CONFLICT', where });
    expect(() => config('refused', { support: { least: 4, most: 2 } })).toThrow(/least must not be larger than most/);
  });
});
