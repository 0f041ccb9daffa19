import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BatchLoader, PhantomDataset, type PhantomDomain, phantomDomains, writeCoco } from '../../src/data/index.js';
import { openRun, runConfigSchema, SampleThreads } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('threads');
beforeAll(async () => {
  const domain = phantomDomains['standard'] as PhantomDomain;
  for (const part of ['train', 'val', 'test'] as const)
    await writeCoco(new PhantomDataset({ size: 7, seed: 1, width: 40, height: 30, domain }), dir, part);
});

const dataConfig = (root: string) => runConfigSchema.parse({ run: { dir }, data: { format: 'coco', root } }).data;

describe('worker threads', () => {
  it('give the same batches, to the byte, whatever their number', async () => {
    const [data] = await openRun(dataConfig(dir), 1);
    const digests = new Set<string>();
    for (const workers of [0, 1, 2, 4]) {
      const threads = SampleThreads.start(data?.recipe, workers);
      expect(threads === undefined).toBe(workers === 0);
      const options = {
        batchSize: 3,
        shuffle: true,
        seed: 5,
        augment: 'paper' as const,
        ...(threads && { source: threads.source }),
      };
      if (data === undefined) throw new Error('no data');
      const hash = createHash('sha256');
      for await (const batch of new BatchLoader(data.train, options).epoch(2, 1))
        for (const { id, image, objects, phrases } of batch) {
          hash.update(JSON.stringify([id, phrases, objects.map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx])]));
          hash.update(image.data);
          for (const { mask } of objects) hash.update(mask.data);
        }
      digests.add(hash.digest('hex'));
      await threads?.dispose();
    }
    expect(digests.size).toBe(1);
  });

  it('hand errors back as they are', async () => {
    const [data] = await openRun(dataConfig(dir), 1);
    const threads = SampleThreads.start({ data: dataConfig(join(dir, 'gone')), seed: 1 }, 1);
    if (data === undefined || threads === undefined) throw new Error('not built');
    const loader = new BatchLoader(data.train, {
      batchSize: 1,
      shuffle: false,
      seed: 1,
      augment: 'none',
      source: threads.source,
    });
    await expect(loader.epoch(0).next()).rejects.toThrow(/gone/);
    await threads.dispose();
  });
});
