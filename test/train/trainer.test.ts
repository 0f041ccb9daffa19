import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type Dataset, PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { runConfigSchema, type TrainerOptions, train } from '../../src/train/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { toyTask } from '../support/toy-task.js';

useBackend();

const dir = temporaryFolder('trainer');

const phantoms = (size: number, seed: number): Dataset => {
  const made = new PhantomDataset({ size, seed, width: 16, height: 12, domain: phantomDomains['shifted'] as PhantomDomain });
  return { name: 'toy', size, load: async (i) => ({ ...(await made.load(i)), file: `image-${i}.png` }) };
};

function options(name: string, changes: object = {}, task = toyTask()): TrainerOptions {
  const { train: config } = runConfigSchema.parse({
    run: { dir },
    data: { format: 'phantom' },
    train: { epochs: 2, batchSize: 2, schedule: 'constant', warmupSteps: 0, ...changes },
  });
  return { task, train: phantoms(6, 1), val: phantoms(3, 2), config, seed: 4, dir: join(dir, name) };
}

const checkpoints = (name: string) => readdir(join(dir, name, 'checkpoints'));

describe('the trainer', () => {
  it('leaves no tensor behind, with accumulation, averaging, validation, checkpoints and a resume', async () => {
    const changes = { accumulate: 2, ema: 0.9, checkpointEvery: 1, keepLast: 2 };
    const first = options('leak', changes);
    expect(await leakOf(() => train(first))).toBe(0);
    expect(await checkpoints('leak')).toEqual(['step-00000003.safetensors', 'step-00000004.safetensors']);
    const more = { ...options('leak', { ...changes, epochs: 3 }, first.task), resume: true };
    let result: unknown;
    expect(
      await leakOf(async () => {
        result = await train(more);
      }),
    ).toBe(0);
    expect(result).toMatchObject({ steps: 6, epochs: 3 });
    const saved = JSON.parse(await readFile(join(dir, 'leak', 'versions.json'), 'utf8')) as object;
    expect(saved).toMatchObject({ node: process.version, backend: tf.getBackend() });
  });

  it('stops at a loss that is not finite, names the images, and the checkpoint before it stays', async () => {
    let seen = 0;
    const broken = options(
      'loss',
      { checkpointEvery: 1 },
      toyTask(() => (++seen > 6 ? Number.NaN : 0)),
    );
    await expect(train(broken)).rejects.toThrow(/^step 2: the loss is not finite, with image-\d.png, image-\d.png/);
    expect(await checkpoints('loss')).toEqual(['step-00000001.safetensors']);
  });

  it('stops at an update that is not finite', async () => {
    const start = options('update');
    const abrupt = { ...start, config: { ...start.config, learningRate: Number.POSITIVE_INFINITY } };
    await expect(train(abrupt)).rejects.toThrow(/^step 1: the update is not finite, with image-\d.png, image-\d.png/);
    expect(await checkpoints('update')).toEqual([]);
  });

  it('stops at a validation loss that is not finite', async () => {
    const task = toyTask();
    const broken = { ...task, step: task.step, loss: async () => ({ total: Number.NaN, terms: {} }) };
    await expect(train(options('val', {}, broken))).rejects.toThrow(/validation loss is not finite, with image-0.png/);
  });

  it('stops on request after the current step, and resumes to the same bytes', async () => {
    const whole = options('whole');
    await train(whole);
    const controller = new AbortController();
    const part = { ...options('part'), signal: controller.signal, onProgress: () => controller.abort() };
    await expect(train(part)).rejects.toThrow(/stopped after step 1, as asked; the checkpoint is written. Go on with .*--resume/);
    await train({ ...options('part'), resume: true });
    for (const file of ['log.jsonl', 'checkpoints/step-00000006.safetensors', 'best/model.safetensors'])
      expect((await readFile(join(dir, 'part', file))).equals(await readFile(join(dir, 'whole', file)))).toBe(true);
  });

  it('resumes from the checkpoint before a damaged one, with a warning, and ends with the same bytes', async () => {
    await train(options('damaged'));
    const file = join(dir, 'damaged', 'checkpoints', 'step-00000006.safetensors');
    const good = await readFile(file);
    const bad = Buffer.from(good);
    bad[bad.length - 1] = (bad.at(-1) as number) ^ 4;
    await writeFile(file, bad);
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (message: string) => warnings.push(message) } as unknown as NonNullable<
      TrainerOptions['logger']
    >;
    await train({ ...options('damaged'), resume: true, logger });
    expect(warnings).toEqual([expect.stringMatching(/step-00000006.safetensors: \S+ is damaged \(SHA-256 differs\)/)]);
    expect((await readFile(file)).equals(good)).toBe(true);
  });

  it('refuses to resume under another batch size, and sets an earlier run aside when it starts from scratch', async () => {
    await train(options('again'));
    await expect(train({ ...options('again', { batchSize: 3 }), resume: true })).rejects.toThrow(
      'train.batchSize was 2 and is 3',
    );
    await train(options('again', { batchSize: 3 }));
    expect(await readdir(join(dir, 'again', 'earlier', '1'))).toEqual(
      expect.arrayContaining(['best', 'checkpoints', 'log.jsonl']),
    );
    expect(await checkpoints('again')).toContain('step-00000004.safetensors');
  });

  it('selects by the configured figure, and lists the available ones', async () => {
    const { monitor, bestValue } = await train(options('max', { monitor: 'val.squares', monitorMode: 'max' }));
    expect(monitor).toBe('val.squares');
    const log = (await readFile(join(dir, 'max', 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; val: number });
    expect(bestValue).toBe(Math.max(...log.filter(({ event }) => event === 'epoch').map(({ val }) => val)));
    await expect(train(options('none', { monitor: 'val.dsc' }))).rejects.toThrow(
      /there is no val.dsc. Choose one of val.loss, val.squares/,
    );
  });
});
