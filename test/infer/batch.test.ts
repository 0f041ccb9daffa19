import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { encodePng } from '../../src/imaging/index.js';
import type { FoundInImage } from '../../src/infer/batch/coco-result.js';
import { Journal } from '../../src/infer/batch/journal.js';
import { type BatchSettings, type CocoImages, type CocoResult, runBatch, writeCalibration } from '../../src/infer/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { useBackend } from '../support/backend.js';
import { settledRss } from '../support/memory.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('batch');

const settings: BatchSettings = {
  prompts: ['cyst. kidney'],
  ...nanoModels,
  adapter: undefined,
  select: 'all',
  threshold: 0.1,
  nmsThreshold: 0.5,
};

describe('runBatch', () => {
  it('holds as much memory and as many tensors after 40 copies of an image as after 20', async () => {
    const domain = phantomDomains['standard'] as PhantomDomain;
    const phantom = await new PhantomDataset({ size: 1, seed: 3, width: 320, height: 260, domain }).load(0);
    const images = [];
    for (let i = 0; i < 40; i++) {
      const path = join(dir, `${i}.png`);
      await writeFile(path, await encodePng(phantom.image));
      images.push({ path, id: String(i), fileName: `${i}.png` });
    }
    const before = tf.memory().numTensors;
    const tensors: number[] = [];
    const megabytes: number[] = [];
    const summary = await runBatch({
      images,
      settings,
      out: join(dir, 'out'),
      onProgress: () => {
        tensors.push(tf.memory().numTensors);
        megabytes.push(settledRss() / 2 ** 20);
      },
    });
    expect([summary.done, summary.bad]).toEqual([40, []]);
    expect(new Set(tensors).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    // An overlay of this size alone has 1.7 MB of pixels: keeping one an image would make 34 MB. Files under way come
    // and go, so the lowest of ten counts.
    const lowest = (from: number, to: number) => Math.min(...megabytes.slice(from, to));
    expect(lowest(30, 40) - lowest(10, 20)).toBeLessThan(25);
    expect(summary.found).toBeGreaterThan(0);
  });

  it('decides whether each structure is present, where the models are calibrated', async () => {
    const model = join(dir, 'calibrated');
    await cp(nanoModels.detector, model, { recursive: true });
    const threshold = { threshold: 0.1, absent: 20, present: 20, falsePositiveRate: 0.05, detectionRate: 0.9 };
    await writeCalibration(model, {
      version: 2,
      targetFalsePositiveRate: 0.05,
      source: 'val of phantoms',
      model: 'x',
      overall: threshold,
      perPhrase: { cyst: { ...threshold, threshold: 0.99 } },
    });
    const domain = phantomDomains['standard'] as PhantomDomain;
    const sample = await new PhantomDataset({ size: 1, seed: 3, width: 128, height: 128, domain }).load(0);
    const path = join(dir, 'judged.png');
    await writeFile(path, await encodePng(sample.image));
    const phrase = sample.objects[0]?.phrase as string;
    const prompts = [`${phrase}. cyst.`];
    expect(phrase).not.toBe('cyst');
    const out = join(dir, 'judged');
    const images = [{ path, id: 'judged', fileName: 'judged.png' }];
    await runBatch({ images, settings: { ...settings, detector: model, prompts }, out });
    const verdicts = JSON.parse(await readFile(join(out, 'verdicts.json'), 'utf8'));
    const judged = { image_id: 1, file_name: 'judged.png', false_positive_rate: 0.05 };
    expect(verdicts).toEqual([
      { ...judged, phrase, present: true, score: expect.any(Number), threshold: 0.1, own_threshold: false },
      { ...judged, phrase: 'cyst', present: false, score: expect.any(Number), threshold: 0.99, own_threshold: true },
    ]);
    const found = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as CocoResult[];
    // The best score of a phrase is that of its best box.
    expect(verdicts[0].score).toBe(Math.max(...found.filter(({ category }) => category === phrase).map(({ score }) => score)));
  });

  it('loads the models that its settings name', async () => {
    const models = { ...nanoModels, masker: null, maskerAdapter: undefined, adapter: 'adapters/liver', adapterScale: 0.5 };
    const asked: unknown[] = [];
    const load = (given: unknown) => {
      asked.push(given);
      return Promise.reject(new Error('enough'));
    };
    const images = [{ path: join(dir, '0.png'), id: '0', fileName: '0.png' }];
    await expect(runBatch({ images, settings: { ...settings, ...models }, out: join(dir, 'named'), load })).rejects.toThrow(
      'enough',
    );
    expect(asked).toEqual([models]);
  });

  it('does not load models when everything is done', async () => {
    const images = [{ path: join(dir, '0.png'), id: '0', fileName: '0.png' }];
    const load = () => Promise.reject(new Error('was loaded'));
    expect(await runBatch({ images, settings, out: join(dir, 'out'), load })).toMatchObject({ done: 0, skipped: 1 });
  });
});

describe('Journal', () => {
  const result = (id: string): FoundInImage => ({
    file_name: `${id}.png`,
    category: 'cyst',
    category_id: 1,
    bbox: [0, 0, 1, 1],
    score: 0.5,
    area: 1,
    measures: null,
  });
  const entry = (id: string, settings = 's') => ({ id, key: `k${id}`, settings, masks: 0, results: [result(id)] });

  it('survives a line that was cut off, keeps the last word on an image, and drops other settings', async () => {
    const out = join(dir, 'journal');
    const first = await Journal.open(out, 's');
    await first.start(['cyst']);
    for (const id of ['10', '9', '9']) await first.record(entry(id));
    await first.record(entry('x', 'other'));
    const file = join(out, 'journal.jsonl');
    await writeFile(file, `${await readFile(file, 'utf8')}{"id":"11","key`);
    const second = await Journal.open(out, 's');
    expect([second.entry('9')?.key, second.entry('11'), second.foreign, second.found]).toEqual(['k9', undefined, 1, 3]);
    await second.start(['cyst']);
    expect(second.foreign).toBe(0);
    const list = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as CocoResult[];
    expect(list.map(({ image_id, file_name }) => [image_id, file_name])).toEqual([
      [1, '9.png'],
      [2, '10.png'],
    ]);
    const { images } = JSON.parse(await readFile(join(out, 'images.json'), 'utf8')) as CocoImages;
    expect(images.map(({ id, name }) => [id, name])).toEqual([
      [1, '9'],
      [2, '10'],
    ]);
    expect((await readFile(file, 'utf8')).trim().split('\n').length).toBe(2);
  });

  it('numbers images that an earlier version named', async () => {
    const out = join(dir, 'named');
    const journal = await Journal.open(out, 's');
    journal.adopt([{ ...entry('left/a'), results: [{ ...result('left/a'), image_id: 'left/a' } as FoundInImage] }, entry('b')]);
    await journal.start(['cyst']);
    const list = JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as CocoResult[];
    expect(list.map(({ image_id, file_name }) => [image_id, file_name])).toEqual([
      [1, 'b.png'],
      [2, 'left/a.png'],
    ]);
  });

  it('does not write the whole list for each of thousands of images, and the whole at the end', async () => {
    const out = join(dir, 'thousands');
    const journal = await Journal.open(out, 's');
    await journal.start(['cyst']);
    let folds = 0;
    const fold = journal.fold.bind(journal);
    journal.fold = async () => {
      folds += 1;
      await fold();
    };
    for (let i = 0; i < 3000; i++) await journal.record(entry(String(i)));
    expect(folds).toBeLessThan(1500);
    await journal.fold();
    expect((JSON.parse(await readFile(join(out, 'results.json'), 'utf8')) as unknown[]).length).toBe(3000);
  });
});
