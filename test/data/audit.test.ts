import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type AuditReport,
  auditDatasets,
  auditForTraining,
  CocoDataset,
  type Dataset,
  openFolders,
  PhantomDataset,
  phantomDomains,
  Subset,
  writeAuditPage,
} from '../../src/data/index.js';
import { imageOfSeed, pipeline, type SetImage, writeSet } from '../support/coco-set.js';
import { expectError } from '../support/expect-error.js';
import { itUnless } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('audit');
let made = 0;

const cacheDirectory = () => join(dir, 'cache');
const newImages = (from: number, count: number): SetImage[] =>
  Array.from({ length: count }, (_, i) => ({ file: `p${from + i}.png`, seed: from + i }));

async function newSet(splits: Parameters<typeof writeSet>[1], name = `set-${made++}`): Promise<string> {
  const root = join(dir, name);
  await writeSet(root, splits);
  return root;
}

async function audit(...folders: string[]): Promise<AuditReport> {
  const { splits, problems } = await openFolders(folders);
  return auditDatasets(splits, { problems, cacheDirectory: cacheDirectory() });
}

/** The image of a seed after changes, as bytes of a file. */
const copyOf = (seed: number, change: (image: ReturnType<typeof pipeline>) => ReturnType<typeof pipeline>) =>
  change(pipeline(imageOfSeed(seed).image)).toBuffer();

describe('an audit of clean data', () => {
  it('finds nothing, and counts what there is', async () => {
    const root = await newSet({ train: newImages(0, 12), val: newImages(20, 4), test: newImages(30, 3) }, 'BUSI');
    const report = await audit(root);
    expect(report).toMatchObject({ errors: 0, warnings: 0, images: 19, problems: [], groups: [], duplicates: [] });
    const summary = report.datasets[0];
    expect(summary?.paper).toEqual({ name: 'BUSI', train: 456, val: 132, test: 69 });
    const objects = Array.from({ length: 12 }, (_, i) => Math.min(1, imageOfSeed(i).objects.length)).reduce((a, b) => a + b);
    expect(summary?.splits.train).toEqual({
      images: 12,
      objects,
      negatives: 12 - objects,
      groups: null,
      labels: { lesion: { objects, images: objects } },
      sizes: { '96x80': 12 },
      unreadable: 0,
    });
  });

  it('takes no phantoms for each other', async () => {
    const domain = phantomDomains['standard'] as (typeof phantomDomains)[string] & object;
    const whole = new PhantomDataset({ size: 90, seed: 11, width: 96, height: 96, domain });
    // Given as anything that is loaded: three datasets, so that all are compared.
    const splits = ['a', 'b', 'c'].map((dataset, k) => ({
      dataset,
      split: 'train' as const,
      data: new Subset(
        whole,
        Array.from({ length: 30 }, (_, i) => 30 * k + i),
      ),
    }));
    const report = await auditDatasets(splits, { cacheDirectory: cacheDirectory() });
    expect(report.images).toBe(90);
    expect(report.duplicates).toEqual([]);
  });
});

describe('a planted leak', () => {
  it('is found when an image comes back mirrored, brighter and as JPEG', async () => {
    const bytes = await copyOf(3, (image) => image.flop().linear(1.1, 25).jpeg({ quality: 70 }));
    const root = await newSet({ train: newImages(0, 8), test: [...newImages(50, 4), { file: 'leak.jpg', seed: 3, bytes }] });
    const report = await audit(root);
    expect(report.errors).toBe(1);
    expect(report.duplicates).toHaveLength(1);
    expect(report.duplicates[0]).toMatchObject({
      level: 'error',
      kind: 'alike',
      mirrored: 'left-right',
      a: { split: 'train', file: 'images/p3.png' },
      b: { split: 'test', file: 'images/leak.jpg' },
    });
  });

  it.each([
    ['upside down', 'up-down', (p: ReturnType<typeof pipeline>) => p.flip().png()],
    ['rotated by 180 degrees', 'both', (p: ReturnType<typeof pipeline>) => p.flip().flop().png()],
    ['smaller', 'no', (p: ReturnType<typeof pipeline>) => p.resize(86, 72, { fit: 'fill' }).png()],
    ['lower in contrast', 'no', (p: ReturnType<typeof pipeline>) => p.linear(0.7, 20).png()],
    ['heavily compressed', 'no', (p: ReturnType<typeof pipeline>) => p.jpeg({ quality: 40 })],
  ] as const)('is found when it is %s, across datasets too', async (_name, mirrored, change) => {
    const [one, two] = [
      await newSet({ train: newImages(0, 6) }),
      await newSet({ val: [...newImages(60, 3), { file: 'copy.img', seed: 2, bytes: await copyOf(2, change) }] }),
    ];
    const { errors, duplicates } = await audit(one, two);
    expect(errors).toBe(1);
    expect(duplicates[0]).toMatchObject({
      level: 'error',
      kind: 'alike',
      mirrored,
      a: { file: 'images/p2.png' },
      b: { file: 'images/copy.img' },
    });
  });

  it('is reported as exact where the pixels are equal, whatever the file', async () => {
    const bytes = await copyOf(1, (image) => image.tiff({ compression: 'lzw' }));
    const root = await newSet({ train: newImages(0, 3), val: [{ file: 'same.tif', seed: 1, bytes }] });
    expect((await audit(root)).duplicates).toEqual([
      expect.objectContaining({
        level: 'error',
        kind: 'exact',
        distance: 0,
        a: expect.objectContaining({ file: 'images/p1.png' }),
      }),
    ]);
  });

  it('is only a warning where both are trained on', async () => {
    const [one, two] = [await newSet({ train: newImages(0, 3) }), await newSet({ train: [{ file: 'again.png', seed: 1 }] })];
    expect(await audit(one, two)).toMatchObject({ errors: 0, warnings: 1 });
  });

  it.each(['group', 'patient'])('is found by %s', async (key) => {
    const of = (list: SetImage[], name: string) => list.map((image) => ({ ...image, [key]: name }));
    const root = await newSet({
      train: [...of(newImages(0, 2), 'P1'), ...of(newImages(2, 1), 'P2')],
      val: of(newImages(3, 1), 'P3'),
      test: of(newImages(4, 2), 'P2'),
    });
    const { errors, groups, datasets } = await audit(root);
    expect(errors).toBe(1);
    expect(groups).toEqual([{ dataset: expect.any(String), group: 'P2', splits: { train: 1, test: 2 } }]);
    expect(datasets[0]?.splits.train?.groups).toBe(2);
  });

  it('is not seen in images of one tone, or in the same names of patients of two datasets', async () => {
    const black = await pipeline({ width: 40, height: 30, data: new Uint8Array(3600) })
      .png()
      .toBuffer();
    const dark = await pipeline({ width: 40, height: 30, data: new Uint8Array(3600).fill(1) })
      .png()
      .toBuffer();
    const one = await newSet({
      train: [{ file: 'black.png', bytes: black, group: 1, seed: 500, annotation: { mask_file: undefined, bbox: [1, 1, 5, 5] } }],
    });
    const two = await newSet({
      test: [{ file: 'dark.png', bytes: dark, group: 1, seed: 500, annotation: { mask_file: undefined, bbox: [1, 1, 5, 5] } }],
    });
    expect(await audit(one, two)).toMatchObject({ errors: 0, duplicates: [], groups: [] });
  });
});

/** Seeds whose phantoms have an object. */
const seedsWithObject = Array.from({ length: 40 }, (_, i) => i).filter((seed) => imageOfSeed(seed).objects.length > 0);

describe('problems', () => {
  const [a, b, c, d] = seedsWithObject as [number, number, number, number];

  it('are reported by file: damaged and missing images and masks, wrong sizes', async () => {
    const root = await newSet({
      train: [
        { file: 'good.png', seed: a },
        { file: 'cut.png', seed: b, bytes: (await copyOf(b, (image) => image.png())).subarray(0, 900) },
        { file: 'text.png', seed: c, bytes: Buffer.from('not an image') },
        { file: 'unmasked.png', seed: d, mask: 'missing' },
      ],
    });
    await rm(join(root, 'images', 'good.png'));
    const { errors, problems } = await audit(root);
    expect(errors).toBe(4);
    expect(problems.map(({ level, file, what }) => [level, file, what.split('.')[0]])).toEqual([
      ['error', 'images/cut.png', 'it cannot be read as an image'],
      ['error', 'images/good.png', 'there is no such file'],
      ['error', 'images/text.png', 'it cannot be read as an image'],
      ['error', 'images/unmasked.png', expect.stringMatching(/^annotation \d+: its mask masks\//)],
    ]);
  });

  it('are reported for boxes that contradict their mask, leave the image, or have an empty mask', async () => {
    const root = await newSet({
      train: [
        { file: 'box.png', seed: a, annotation: { bbox: [10, 10, 5, 5] } },
        { file: 'out.png', seed: b, annotation: { bbox: [-20, 0, 60, 30], mask_file: undefined } },
        { file: 'empty.png', seed: c, mask: 'empty' },
        { file: 'whole.png', seed: d, annotation: { bbox: [0, 0, 96, 80], mask_file: undefined } },
      ],
    });
    const { errors, warnings, problems } = await audit(root);
    // Without its object the image would be a negative.
    expect(errors).toBe(1);
    const found = problems.filter(({ what }) => what !== 'no annotation names it').map(({ file, what }) => `${file}: ${what}`);
    expect(found).toEqual([
      expect.stringMatching(/^images\/empty\.png: annotation 2: its mask masks\/train-2\.png is empty/),
      expect.stringMatching(/^images\/box\.png: annotation 0 .*its box \[10, 10, 15, 15\] is not the box of its mask \[/),
      expect.stringMatching(/^images\/out\.png: annotation 1: its box \[-20, 0, 40, 30\] reaches out of the 96x80 image/),
      expect.stringMatching(/^images\/whole\.png: the box of "lesion" is the whole image/),
    ]);
    // Masks that no annotation names any more are told too.
    expect(warnings).toBe(5);
  });

  it('are reported for links out of the dataset, whose images are not shown on the page', async () => {
    const root = await newSet({ train: newImages(0, 1), val: newImages(5, 1) });
    const secret = join(dir, 'secret.png');
    await writeFile(secret, await copyOf(6, (image) => image.png()));
    await rm(join(root, 'images', 'p0.png'));
    await symlink(secret, join(root, 'images', 'p0.png'));
    const { splits, problems } = await openFolders([root]);
    expect(problems).toEqual([
      expect.objectContaining({
        level: 'warning',
        split: 'train',
        file: 'images/p0.png',
        what: expect.stringMatching(/leads out of the dataset/),
      }),
    ]);
    const page = join(dir, 'links.html');
    await writeAuditPage(page, await auditDatasets(splits, { problems, cacheDirectory: cacheDirectory() }), splits);
    expect((await readFile(page, 'utf8')).match(/data:image/g)).toHaveLength(1);
  });

  it('are reported for an invalid annotation file, and the others are audited', async () => {
    const root = await newSet({ train: newImages(0, 2), val: newImages(5, 1) });
    await writeFile(join(root, 'annotations', 'val.json'), '{"images": 3');
    const { errors, images, problems } = await audit(root);
    expect([errors, images]).toEqual([1, 2]);
    expect(problems[0]).toMatchObject({
      split: 'val',
      file: 'annotations/val.json',
      what: expect.stringContaining('not valid JSON'),
    });
  });

  it('are refused as a whole where there is no dataset', async () => {
    await expectError(openFolders([join(dir, 'nowhere')]), { code: 'E_FILE_NOT_FOUND', where: 'nowhere' });
    await expectError(openFolders([join(dir, 'cache')]), {
      code: 'E_DATASET_NOT_IMPORTED',
      where: 'cache',
      what: 'there is no dataset in it',
    });
  });
});

describe('folders of datasets', () => {
  it('are taken apart', async () => {
    const above = join(dir, 'several');
    await writeSet(join(above, 'one'), { train: newImages(0, 2) });
    await writeSet(join(above, 'two'), { test: newImages(5, 1) });
    expect((await audit(above)).datasets.map(({ name, splits }) => [name, Object.keys(splits)])).toEqual([
      ['one', ['train']],
      ['two', ['test']],
    ]);
  });
});

describe('the memory of audits', () => {
  it('serves while size and time are the same, and where only the time is another', async () => {
    const root = await newSet({ train: newImages(0, 4), val: newImages(9, 2) });
    expect((await audit(root)).cached).toBe(0);
    const again = await audit(root);
    expect(again).toMatchObject({ cached: 6, errors: 0 });
    const file = join(root, 'images', 'p0.png');
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect((await audit(root)).cached).toBe(6);
    await writeFile(file, await copyOf(77, (image) => image.png()));
    expect((await audit(root)).cached).toBe(5);
  });

  it('holds no image and no patient beyond what the files are called', async () => {
    const root = await newSet({ train: newImages(0, 2).map((image) => ({ ...image, patient: 'Okonkwo' })) });
    await audit(root);
    const names = await readdir(cacheDirectory());
    const texts = await Promise.all(names.map((name) => readFile(join(cacheDirectory(), name), 'utf8')));
    expect(texts.join('')).toContain('p0.png');
    expect(texts.join('')).not.toContain('Okonkwo');
  });

  itUnless(
    process.platform === 'win32' ? 'Windows has no named pipes in folders' : undefined,
    'does not wait for an image that is a named pipe',
    async () => {
      const root = await newSet({ train: newImages(0, 2) });
      await rm(join(root, 'images', 'p0.png'));
      execFileSync('mkfifo', [join(root, 'images', 'p0.png')]);
      const { problems } = await audit(root);
      expect(problems).toMatchObject([{ level: 'error', what: expect.stringContaining('it is no regular file') }]);
    },
  );

  it('is rebuilt when it is damaged', async () => {
    const root = await newSet({ train: newImages(0, 2) });
    await audit(root);
    for (const name of await readdir(cacheDirectory()))
      await writeFile(join(cacheDirectory(), name), '{"version": 2, "entries": 5}');
    expect(await audit(root)).toMatchObject({ cached: 0, errors: 0 });
  });
});

describe('auditForTraining', () => {
  async function splitsOf(root: string): Promise<Record<'train' | 'val' | 'test', Dataset>> {
    const [train, val, test] = await Promise.all(
      (['train', 'val', 'test'] as const).map((split) => CocoDataset.open(root, split)),
    );
    return { train, val, test } as Record<'train' | 'val' | 'test', Dataset>;
  }
  function listen() {
    const said: string[] = [];
    return { said, logger: { info: (line: string) => said.push(line), warn: (line: string) => said.push(`warning: ${line}`) } };
  }

  it('says one line when all is well', async () => {
    const { said, logger } = listen();
    const data = await splitsOf(await newSet({ train: newImages(0, 4), val: newImages(10, 2), test: newImages(20, 2) }));
    await auditForTraining(data, { logger, cacheDirectory: cacheDirectory() });
    await auditForTraining(data, { logger, cacheDirectory: cacheDirectory() });
    expect(said).toEqual([
      'data: 8 images checked, none of train is in val or test',
      'data: 8 images checked (8 from the cache), none of train is in val or test',
    ]);
  });

  it('stops where an image or a patient of train is tested too, unless that is allowed', async () => {
    const bytes = await copyOf(1, (image) => image.flop().jpeg({ quality: 80 }));
    const root = await newSet({
      train: newImages(0, 3).map((image) => ({ ...image, group: 'P1' })),
      val: [{ file: 'copy.jpg', seed: 1, bytes, group: 'P2' }],
      test: newImages(8, 1).map((image) => ({ ...image, group: 'P1' })),
    });
    const data = await splitsOf(root);
    await expectError(auditForTraining(data, { cacheDirectory: cacheDirectory() }), {
      code: 'E_DATA_OVERLAP',
      where: 'data',
      what: '1 patient or volume is in train and in val or test: P1 (train, test); 1 image of train is also in val or test: p1.png (train) = copy.jpg (val) (similar, mirrored left-right)',
      fix: 'Split by patient, or set data.allowOverlap: true',
    });
    const { said, logger } = listen();
    await auditForTraining(data, { logger, allowOverlap: true, cacheDirectory: cacheDirectory() });
    expect(said).toEqual([expect.stringMatching(/^warning: data: 1 patient.*; allowed by data\.allowOverlap$/)]);
  });

  it('warns of images that are in val and in test', async () => {
    const { said, logger } = listen();
    const root = await newSet({ train: newImages(0, 3), val: [{ file: 'x.png', seed: 9 }], test: [{ file: 'y.png', seed: 9 }] });
    await auditForTraining(await splitsOf(root), { logger, cacheDirectory: cacheDirectory() });
    expect(said[0]).toBe('warning: data: 1 image or patient is in both val and test');
  });

  it('stops at images that cannot be read, by name', async () => {
    const root = await newSet({
      train: newImages(0, 2),
      val: [{ file: 'bad.png', bytes: Buffer.from('x') }],
      test: newImages(4, 1),
    });
    await expectError(auditForTraining(await splitsOf(root), { cacheDirectory: cacheDirectory() }), {
      code: 'E_DATA_UNUSABLE',
      where: 'data',
      what: '1 image cannot be used: bad.png (val): it cannot be read as an image',
    });
  });

  it('leaves generated images out', async () => {
    const domain = phantomDomains['standard'] as (typeof phantomDomains)[string] & object;
    const { said, logger } = listen();
    const split = (seed: number) => new PhantomDataset({ size: 2, seed, width: 64, height: 64, domain });
    await auditForTraining({ train: split(1), val: split(1), test: split(1) }, { logger, cacheDirectory: cacheDirectory() });
    expect(said).toEqual([]);
  });
});
