import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { findImporter } from '../../../src/data/import/registry.js';
import { readSplitFile } from '../../../src/data/import/splits/split-file.js';
import { type AuditReport, auditDatasets, importDataset, openFolders } from '../../../src/data/index.js';
import { expectError } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mask, put, scan } from './miniatures/draw.js';
import { readSplit, SPLITS } from './support.js';

const SIZE = [96, 72] as const;

const dir = temporaryFolder('copies');
let made = 0;

const folder = () => join(dir, String(made++));

/** Blurred speckle: copies of it survive what is done to them. */
const image = async (seed: number) =>
  sharp(await scan(...SIZE, seed))
    .blur(2)
    .linear(4, -360);

/** What people do to images before they are in a set twice. */
const CHANGES: readonly ((image: Sharp) => Sharp)[] = [
  (image) => image,
  (image) => image.flop(),
  (image) => image.flip(),
  (image) => image.linear(1, 20),
  (image) => image.jpeg({ quality: 60 }),
  (image) => image.resize(...([80, 60] as const)),
];

/** Twenty strangers in BUSI's layout, each of the first six once more, changed. */
async function busiWithCopies(): Promise<string> {
  const from = folder();
  const add = async (name: string, image: Sharp) => {
    const bytes = await image.png().toBuffer();
    const { width = 0, height = 0 } = await sharp(bytes).metadata();
    await put(from, `benign/${name}.png`, bytes);
    await put(from, `benign/${name}_mask.png`, await mask(width, height, [[10, 10, 20, 15]]));
  };
  for (let n = 1; n <= 20; n++) await add(`benign (${n})`, await image(500 + n));
  for (const [k, change] of CHANGES.entries()) {
    const bytes = await change(await image(501 + k)).toBuffer();
    await add(`benign (${101 + k})`, sharp(bytes));
  }
  return from;
}

async function check(root: string): Promise<AuditReport> {
  const { splits, problems } = await openFolders([root]);
  return auditDatasets(splits, { problems, cacheDirectory: folder() });
}

async function splitOfSources(root: string): Promise<Map<string, string>> {
  const splitOf = new Map<string, string>();
  for (const split of SPLITS) for (const { source } of (await readSplit(root, split)).images) splitOf.set(source, split);
  return splitOf;
}

describe('copies in a published set', () => {
  it('are in one split with what they are copies of, whatever the seed, so that the check finds nothing', async () => {
    const from = await busiWithCopies();
    const to = folder();
    for (const seed of [42, 1, 2, 3]) {
      const { copies } = await importDataset({ dataset: 'busi', from, to, seed });
      expect(copies).toMatchObject({ groups: 6, images: 12, across: [] });
      expect(copies?.sets).toContainEqual(['benign/benign (2).png', 'benign/benign (102).png']);
      const splitOf = await splitOfSources(to);
      for (const set of copies?.sets ?? []) expect(new Set(set.map((source) => splitOf.get(source))).size).toBe(1);
      expect(await check(to)).toMatchObject({ errors: 0, duplicates: [], groups: [] });
      expect(new Set(splitOf.values()).size).toBe(3);
    }
  });

  it('are one group in the annotations, so that they stay together later', async () => {
    const to = folder();
    await importDataset({ dataset: 'busi', from: await busiWithCopies(), to });
    const groups = new Map<string, string>();
    for (const split of SPLITS) for (const { source, group } of (await readSplit(to, split)).images) groups.set(source, group);
    expect(groups.get('benign/benign (103).png')).toBe(groups.get('benign/benign (3).png'));
    expect(new Set(groups.values()).size).toBe(20);
  });

  it('are found again by a resumed import', async () => {
    const [from, to] = [await busiWithCopies(), folder()];
    const first = await importDataset({ dataset: 'busi', from, to });
    expect((await importDataset({ dataset: 'busi', from, to })).copies).toEqual(first.copies);
  });

  it('are divided as published by the protocol of the paper', async () => {
    const report = await importDataset({ dataset: 'busi', from: await busiWithCopies(), to: folder(), protocol: 'paper' });
    expect(report.copies).toBeUndefined();
    expect([report.counts.train.rows, report.counts.val.rows, report.counts.test.rows]).toEqual([18, 5, 3]);
  });

  it('are named where the splits came with the data, and these are kept', async () => {
    const [from, to] = [folder(), folder()];
    const seeds = { train: [1, 2, 3, 4], val: [5, 6], test: [7, 2] };
    for (const [split, own] of Object.entries(seeds))
      for (const [k, seed] of own.entries()) {
        await put(from, `${split}/images/${k}.png`, await (await image(seed)).png().toBuffer());
        await put(from, `${split}/masks/${k}.png`, await mask(...SIZE, [[10, 10, 20, 15]]));
      }
    const { copies, counts, notes } = await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect([counts.train.images, counts.val.images, counts.test.images]).toEqual([4, 2, 2]);
    expect(copies?.across).toEqual([
      { a: 'test/images/1.png', b: 'train/images/1.png', splits: ['test', 'train'], kind: 'exact' },
    ]);
    expect(notes.join('\n')).toContain('1 pairs of images that are copies of each other are in different splits');
    expect((await check(to)).errors).toBe(1);
  });

  it('do not join volumes by the black slices at their ends', async () => {
    const [from, to] = [folder(), folder()];
    const black = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    for (const n of [1, 2, 3, 4]) {
      await put(from, `images/${n}.png`, n < 3 ? black : await scan(60, 40, n));
      await put(from, `masks/${n}.png`, await mask(60, 40, n < 3 ? [] : [[10, 10, 20, 15]]));
    }
    const { copies } = await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect(copies).toMatchObject({ groups: 0, images: 0 });
  });

  it('that leave a split empty are reported', async () => {
    const from = folder();
    const bytes = await (await image(1)).png().toBuffer();
    for (const n of [1, 2, 3, 4]) {
      await put(from, `images/${n}.png`, bytes);
      await put(from, `masks/${n}.png`, await mask(...SIZE, [[10, 10, 20, 15]]));
    }
    const { notes } = await importDataset({ dataset: 'folders', from, to: folder(), prompts: ['cyst'] });
    expect(notes.at(-1)).toMatch(/4 images are copies of others or nearly so \(1 groups, .*nothing is left for val and test/);
  });
});

describe('a division as a file', () => {
  const divide = (from: string, splits: string) => importDataset({ dataset: 'busi', from, to: folder(), splits });

  it('gives the same images of another size and another seed the same splits', async () => {
    const [from, to] = [await busiWithCopies(), folder()];
    await importDataset({ dataset: 'busi', from, to, seed: 42 });
    const larger = folder();
    await cp(from, larger, { recursive: true });
    for (let n = 1; n <= 20; n++)
      for (const end of ['', '_mask']) {
        const file = join(larger, 'benign', `benign (${n})${end}.png`);
        await writeFile(
          file,
          await sharp(await readFile(file))
            .resize(192, 144)
            .png()
            .toBuffer(),
        );
      }
    const again = folder();
    const report = await importDataset({ dataset: 'busi', from: larger, to: again, seed: 7, splits: join(to, 'splits.json') });
    expect(await splitOfSources(again)).toEqual(await splitOfSources(to));
    expect(report.problems).toEqual([]);
    expect(JSON.parse(await readFile(join(again, 'splits.json'), 'utf8')).splits).toEqual(
      JSON.parse(await readFile(join(to, 'splits.json'), 'utf8')).splits,
    );
  });

  it('leaves out images that it does not list, by name, and reports listed ones that are missing', async () => {
    const from = await busiWithCopies();
    const file = join(dir, 'some.json');
    const names = (...numbers: number[]) => numbers.map((n) => `benign/benign (${n})`);
    const splits = { train: names(4, 5, 6, 999), val: names(8), test: names(9) };
    await writeFile(file, JSON.stringify({ dataset: 'busi', splits }));
    const { counts, problems, notes } = await divide(from, file);
    expect([counts.train.images, counts.val.images, counts.test.images]).toEqual([3, 1, 1]);
    expect(problems).toHaveLength(21);
    expect(problems[0]).toEqual({ file: 'benign/benign (1).png', what: `${file} does not give it a split` });
    expect(notes.join('\n')).toContain(`1 of the 6 images in ${file} are not here, benign/benign (999) first`);
  });

  it('is read from a file that calls the splits by their former name, parts', async () => {
    const file = join(dir, 'former.json');
    const text = JSON.stringify({ dataset: 'busi', parts: { train: ['a'], val: ['b'], test: [] } });
    await writeFile(file, text);
    expect([...(await readSplitFile(file, findImporter('busi')))]).toEqual([
      ['a', 'train'],
      ['b', 'val'],
    ]);
  });

  it.each([
    ['no file', undefined, /cannot be read \(ENOENT\)/],
    ['no JSON', '{', /it is no division of a dataset/],
    ['another shape', '{"dataset": "busi", "splits": {"train": "all", "val": [], "test": []}}', /it is no division of a dataset/],
    ['another dataset', '{"dataset": "stu", "splits": {"train": [], "val": [], "test": []}}', /it divides stu, not busi/],
    ['an image twice', '{"dataset": "busi", "splits": {"train": ["a"], "val": ["a"], "test": []}}', /a is in train and in val/],
    ['strangers', '{"dataset": "busi", "splits": {"train": ["a"], "val": ["b"], "test": []}}', /it names none of the 26 images/],
  ])('is refused: %s', async (name, text, message) => {
    const file = join(dir, `${name}.json`);
    if (text !== undefined) await writeFile(file, text);
    const from = join(dir, 'refused');
    await mkdir(from, { recursive: true });
    await cp(await busiWithCopies(), from, { recursive: true });
    await expect(divide(from, file)).rejects.toThrow(message);
  });

  it('is not for rows as published, nor beside the publisher’s splits', async () => {
    const options = { dataset: 's1', from: dir, to: folder(), splits: 'x.json' };
    await expectError(importDataset({ ...options, protocol: 'paper' }), {
      code: 'E_OPTION_CONFLICT',
      where: '--splits',
      what: 'divides single outlines',
    });
    await expectError(importDataset({ ...options, officialSplits: true }), {
      code: 'E_OPTION_CONFLICT',
      where: '--splits',
      what: "asks for the publisher's splits",
    });
  });
});
