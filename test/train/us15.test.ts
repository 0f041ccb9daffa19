import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { auditForTraining, findImporter, importDataset } from '../../src/data/index.js';
import { openData, runConfigSchema } from '../../src/train/index.js';
import { DataError, type Logger } from '../../src/util/index.js';
import { miniatures as all } from '../data/import/miniatures/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Those of the paper. */
const miniatures = all.filter(({ paper }) => paper !== undefined);

const CONFIG = fileURLToPath(new URL('../../configs/us15.yaml', import.meta.url));

const dir = temporaryFolder('us15');
beforeAll(async () => {
  // Folders are called as people call them: BUS-UCLM, BrEaST, KidneyUS.
  for (const miniature of miniatures) {
    await mkdir(join(dir, 'root', miniature.dataset), { recursive: true });
    await miniature.write(join(dir, 'root', miniature.dataset));
  }
});

const config = async (...set: string[]) =>
  (await loadConfig(CONFIG, runConfigSchema, [`data.root=${join(dir, 'root')}`, `data.cache=${join(dir, 'cache')}`, ...set]))
    .data;

function listener(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { logger: { info: (line) => lines.push(line), warn: (line) => lines.push(line) }, lines };
}

describe('configs/us15.yaml', () => {
  it('names every dataset of the paper, the unseen three last', async () => {
    const { sets } = await config();
    expect(sets.map(({ name }) => findImporter(name).unseen ?? false)).toEqual([...Array(15).fill(false), true, true, true]);
    expect(new Set(sets.map(({ name }) => name)).size).toBe(18);
  });

  it('runs on the published layouts, imports each once and tests on the unseen alone', async () => {
    const first = listener();
    const data = await openData(await config(), 1, { logger: first.logger });
    const total = miniatures.reduce((sum, { images }) => sum + Object.keys(images).length, 0);
    expect(data.train.size + data.val.size + data.test.size).toBe(total);
    const names = { train: new Set<string>(), val: new Set<string>(), test: new Set<string>() };
    for (const part of ['train', 'val', 'test'] as const)
      for (let i = 0; i < data[part].size; i++) names[part].add((await data[part].load(i)).dataset);
    expect(names.train.size).toBe(15);
    expect(names.val.size).toBe(15);
    expect(names.test.size).toBe(18);
    expect([...names.test].filter((name) => !names.train.has(name))).toEqual(['busbra', 'tnscui', 'luminous']);
    const again = await openData(await config(), 1, { logger: listener().logger });
    expect((await again.val.load(3)).id).toBe((await data.val.load(3)).id);
  });

  it('passes the look that is taken before training, and does not with parts as published', async () => {
    const cacheDirectory = join(dir, 'audit');
    await auditForTraining(await openData(await config(), 1), { cacheDirectory });
    const leaking = await openData(await config('data.protocol=paper'), 1);
    await expect(auditForTraining(leaking, { cacheDirectory })).rejects.toThrow(
      /patients or volumes are in train and in val or test: .*data\.allowOverlap/,
    );
  });

  it('uses an existing import, and refuses one by another protocol', async () => {
    const root = join(dir, 'imported');
    const from = join(dir, 'root', 'BUSI');
    const report = await importDataset({ dataset: 'busi', from, to: join(root, 'busi') });
    const set = [`data.root=${root}`, 'data.sets=[{name: busi}]'];
    const data = await openData(await config(...set), 1);
    expect([data.train.size, data.val.size, data.test.size]).toEqual(
      (['train', 'val', 'test'] as const).map((part) => report.counts[part].images),
    );
    await expect(openData(await config(...set, 'data.protocol=paper'), 1)).rejects.toThrow(
      /imported with protocol strict, not paper/,
    );
  });

  it('says where to get a missing dataset, or leaves it out', async () => {
    const root = join(dir, 'partial');
    await mkdir(join(root, 'stu-hospital'), { recursive: true });
    const stu = miniatures.find(({ dataset }) => dataset === 'STU');
    await stu?.write(join(root, 'stu-hospital'));
    const error = await openData(await config(`data.root=${root}`), 1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(
      /the dataset breast is not there\. BrEaST comes from https:.*data\.missing: skip/,
    );
    const { logger, lines } = listener();
    const data = await openData(await config(`data.root=${root}`, 'data.missing=skip'), 1, { logger });
    expect(data.train.size + data.val.size + data.test.size).toBe(10);
    expect(lines.filter((line) => line.includes('left out'))).toHaveLength(17);
    await expect(openData(await config(`data.root=${dir}`, 'data.missing=skip'), 1)).rejects.toThrow(
      'none of the datasets is there',
    );
  });
});
