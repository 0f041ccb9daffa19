import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  auditForTraining,
  PhantomDataset,
  phantomDomains,
  RenameDataset,
  RepeatDataset,
  writeCoco,
} from '../../src/data/index.js';
import { openData, runConfigSchema } from '../../src/train/index.js';
import { silentLogger } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

const { standard } = phantomDomains;
const phantoms = (size: number, seed: number) =>
  new PhantomDataset({ size, seed, width: 32, height: 32, domain: standard as NonNullable<typeof standard> });

describe('datasets taken otherwise', () => {
  it('come up as often as wanted, each sample as it is', async () => {
    const whole = phantoms(3, 1);
    const often = new RepeatDataset(whole, 4);
    expect(often.size).toBe(12);
    expect(often.name).toBe(whole.name);
    const ids = await Promise.all(Array.from({ length: 12 }, async (_, i) => (await often.load(i)).id));
    expect(new Set(ids).size).toBe(3);
    expect((await often.load(7)).id).toBe((await whole.load(1)).id);
  });

  it('go by other names, in prompts and objects alike, and ask for what became one only once', async () => {
    const whole = phantoms(30, 2);
    const renamed = new RenameDataset(whole, { 'Benign lesion': 'breast lesion', 'malignant lesion': 'breast lesion' });
    let met = 0;
    for (let i = 0; i < renamed.size; i++) {
      const [before, after] = [await whole.load(i), await renamed.load(i)];
      const name = (phrase: string) => (/^(benign|malignant) lesion$/.test(phrase) ? 'breast lesion' : phrase);
      expect(after.objects.map(({ phrase }) => phrase)).toEqual(before.objects.map(({ phrase }) => name(phrase)));
      expect(after.phrases).toEqual([...new Set(before.phrases.map(name))]);
      if (after.phrases.includes('breast lesion')) met++;
    }
    expect(met).toBeGreaterThan(3);
  });
});

describe('a mixture of sets', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mixed-'));
    await writeCoco(phantoms(5, 3), join(root, 'mine'), 'train');
    await writeCoco(phantoms(2, 4), join(root, 'mine'), 'val');
    await writeCoco(phantoms(2, 5), join(root, 'mine'), 'test');
  });
  afterAll(() => rm(root, { recursive: true }));

  const config = (sets: unknown[]) =>
    runConfigSchema.parse({ run: { dir: 'unused' }, data: { format: 'coco', root, sets } }).data;
  const phantom = { size: { width: 32, height: 32 }, train: 7, val: 1, test: 1 };

  it('holds datasets and phantoms, and repeats images in its training split alone', async () => {
    const data = config([
      { name: 'mine', repeat: 3 },
      { name: 'phantoms', phantom },
    ]);
    const { train, val, test } = await openData(data, 1);
    expect([train.size, val.size, test.size]).toEqual([3 * 5 + 7, 2 + 1, 2 + 1]);
    const names = await Promise.all(Array.from({ length: train.size }, async (_, i) => (await train.load(i)).dataset));
    expect(names.filter((name) => name === 'mine')).toHaveLength(15);
    expect(names.filter((name) => name === 'phantom-standard')).toHaveLength(7);
  });

  it('renames phrases as configured', async () => {
    const plain = await openData(config([{ name: 'mine' }]), 1);
    const [phrase = ''] = plain.train.phrases ?? [];
    const { train } = await openData(config([{ name: 'mine', phrases: { [phrase]: 'something' } }]), 1);
    expect(train.phrases).toContain('something');
    expect(train.phrases).not.toContain(phrase);
  });

  it('is looked at once before training, however often an image comes up, and without its phantoms', async () => {
    const own = { name: 'mine', repeat: 3 };
    const other = { ...own, phrases: { cyst: 'something' } };
    const data = await openData(config([own, other, { name: 'phantoms', phantom }]), 1);
    const lines: string[] = [];
    const logger = { ...silentLogger, info: (line: string) => lines.push(line) };
    await auditForTraining(data, { logger, cacheDirectory: join(root, 'cache') });
    expect(lines).toEqual([expect.stringMatching(/^data: 9 images checked, none of train is in val or test$/)]);
  });

  it('is refused where a repeated or renamed image of train is in val too', async () => {
    await writeCoco(phantoms(2, 3), join(root, 'leaky'), 'val');
    await writeCoco(phantoms(1, 6), join(root, 'leaky'), 'test');
    await writeCoco(phantoms(1, 7), join(root, 'leaky'), 'train');
    const sets = [{ name: 'mine', repeat: 2, phrases: { cyst: 'something' } }, { name: 'leaky' }];
    const data = await openData(config(sets), 1);
    await expectError(auditForTraining(data, { cacheDirectory: join(root, 'cache') }), {
      code: 'E_DATA_OVERLAP',
      where: 'data',
      what: '2 images of train are also in val or test',
    });
  });

  it.each(['paste', 'background'])('refuses %s where the samples are clips', async (change) => {
    const mine = { format: 'coco', root, sets: [{ name: 'mine', [change]: 0.2 }], clips: { frames: 2 } };
    const { data } = runConfigSchema.parse({ run: { dir: 'unused' }, task: 'memory', data: mine });
    await expectError(openData(data, 1), { code: 'E_CONFIG_CONFLICT', where: 'data.sets mine', what: 'data.clips' });
    await expect(openData({ ...data, sets: [{ name: 'mine' }] }, 1)).resolves.toBeDefined();
  });

  it('refuses to repeat or rename phantoms, which name themselves', async () => {
    const data = config([{ name: 'phantoms', phantom, repeat: 2 }]);
    await expectError(openData(data, 1), {
      code: 'E_CONFIG_CONFLICT',
      where: /phantoms/s,
      what: /repeat, paste, background and phrases/s,
      fix: /phantom\.train/s,
    });
  });
});
