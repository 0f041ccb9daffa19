import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  BatchLoader,
  CocoDataset,
  FoldersDataset,
  kFolds,
  PhantomDataset,
  type PhantomDomain,
  phantomDomains,
  StuDataset,
  splitIndices,
  writeCoco,
} from '../../src/data/index.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('data');

const phantoms = new PhantomDataset({
  size: 6,
  seed: 1,
  width: 48,
  height: 40,
  domain: phantomDomains['standard'] as PhantomDomain,
});

const ellipse = (size: number, edge: number) =>
  sharp(
    Buffer.from(
      `<svg width="${size}" height="${size}"><ellipse cx="${size * 0.4}" cy="${size * 0.5}" rx="${size * 0.2}" ry="${size * 0.25}" fill="#fff" stroke="#888" stroke-width="${edge}"/></svg>`,
    ),
  )
    .flatten({ background: '#000' })
    .greyscale()
    .png()
    .toBuffer();

const grey = (size: number) =>
  sharp({ create: { width: size, height: size, channels: 3, background: '#555' } })
    .png()
    .toBuffer();

async function stuFolder(name: string, level: string): Promise<string> {
  const inner = join(dir, name, level);
  await mkdir(inner, { recursive: true });
  for (const [n, maskSize] of [
    [1, 64],
    [2, 210],
    [10, 64],
  ] as const) {
    await writeFile(join(inner, `Test_Image_${n}.png`), await grey(64));
    await writeFile(join(inner, `mask_${n}.png`), await ellipse(maskSize, maskSize / 40));
  }
  return join(dir, name);
}

describe('StuDataset', () => {
  it.each(['', 'Hospital'])('reads the published layout (%s level), masks of other sizes brought to the image', async (level) => {
    const dataset = await StuDataset.open(await stuFolder(`stu-${level}`, level), { phrase: 'breast lesion' });
    expect(dataset.size).toBe(3);
    const samples = await Promise.all([0, 1, 2].map((i) => dataset.load(i)));
    expect(samples.map(({ id }) => id)).toEqual(['stu-1', 'stu-2', 'stu-10']);
    for (const { objects, phrases } of samples) {
      expect(phrases).toEqual(['breast lesion']);
      expect(objects).toHaveLength(1);
      const [x0, y0, x1, y1] = objects[0]?.boxXyxyPx ?? [0, 0, 0, 0];
      for (const [actual, expected] of [
        [x0, 12.8],
        [y0, 16],
        [x1, 38.4],
        [y1, 48],
      ] as const) {
        expect(Math.abs(actual - expected)).toBeLessThanOrEqual(2);
      }
    }
  });

  it('names a missing mask, and a missing folder', async () => {
    const root = await stuFolder('stu-broken', '');
    await rm(join(root, 'mask_2.png'));
    await expectError(StuDataset.open(root, { phrase: 'x' }), {
      code: 'E_MASK_NOT_FOUND',
      where: 'Test_Image_2.png',
      what: 'its mask mask_2.png is missing',
    });
    await expectError(StuDataset.open(join(dir, 'nowhere'), { phrase: 'x' }), { code: 'E_FILE_NOT_FOUND', where: 'nowhere' });
  });
});

describe('FoldersDataset', () => {
  it('pairs by name, takes an empty mask as a negative, and names a corrupt file and a mask of other proportions', async () => {
    const root = join(dir, 'folders');
    await mkdir(join(root, 'images'), { recursive: true });
    await mkdir(join(root, 'masks'));
    const write = async (name: string, image: Buffer, mask: Buffer) => {
      await writeFile(join(root, 'images', `${name}.png`), image);
      await writeFile(join(root, 'masks', `${name}.png`), mask);
    };
    await write('a', await grey(32), await ellipse(32, 0));
    await write(
      'b',
      await grey(32),
      await sharp({ create: { width: 32, height: 32, channels: 3, background: '#000' } })
        .png()
        .toBuffer(),
    );
    await write('c', (await grey(32)).subarray(0, 40), await ellipse(32, 0));
    await write(
      'd',
      await grey(32),
      await sharp(await ellipse(32, 0))
        .resize(64, 32, { fit: 'fill' })
        .png()
        .toBuffer(),
    );
    const dataset = await FoldersDataset.open(root, { phrase: 'thing' });
    expect((await dataset.load(0)).objects).toHaveLength(1);
    expect((await dataset.load(1)).objects).toHaveLength(0);
    await expectError(dataset.load(2), { code: 'E_IMAGE_UNREADABLE', where: 'c.png', what: 'it cannot be read as an image' });
    await expectError(dataset.load(3), { code: 'E_MASK_SIZE', where: 'd.png', what: 'the mask is 64x32, its image 32x32' });
  });

  it('passes over hidden files, and names two masks that could belong to one image', async () => {
    const root = join(dir, 'folders-hidden');
    await mkdir(join(root, 'images'), { recursive: true });
    await mkdir(join(root, 'masks'));
    await writeFile(join(root, 'images', 'a.png'), await grey(32));
    await writeFile(join(root, 'images', '._a.png'), 'left by an archive');
    await writeFile(join(root, 'masks', 'a.png'), await ellipse(32, 0));
    expect((await FoldersDataset.open(root, { phrase: 'thing' })).size).toBe(1);
    await writeFile(join(root, 'masks', 'a.bmp'), 'another');
    await expectError(FoldersDataset.open(root, { phrase: 'thing' }), {
      code: 'E_NAME_CLASH',
      where: 'a.png',
      what: /it has the name of .*a\.bmp/,
    });
  });
});

describe('CocoDataset', () => {
  it('reads back what was written', async () => {
    const root = join(dir, 'coco');
    await writeCoco(phantoms, root, 'train');
    const read = await CocoDataset.open(root, 'train');
    expect(read.size).toBe(phantoms.size);
    for (let i = 0; i < read.size; i++) {
      const [expected, actual] = await Promise.all([phantoms.load(i), read.load(i)]);
      expect(actual.image).toEqual(expected.image);
      expect(actual.objects).toEqual(expected.objects);
      expect([...actual.phrases].sort()).toEqual([...expected.phrases].sort());
    }
  });

  const annotate = async (name: string, annotation: object, extra: object = {}): Promise<CocoDataset> => {
    const root = join(dir, name);
    await mkdir(join(root, 'images'), { recursive: true });
    await mkdir(join(root, 'annotations'));
    await writeFile(join(root, 'images', 'a.png'), await grey(20));
    const file = {
      images: [{ id: 1, file_name: 'a.png' }],
      annotations: [{ id: 5, image_id: 1, category_id: 2, ...annotation }],
      categories: [{ id: 2, name: 'cyst' }],
      ...extra,
    };
    await writeFile(join(root, 'annotations', 'test.json'), JSON.stringify(file));
    return CocoDataset.open(root, 'test');
  };

  it('takes polygons, both kinds of RLE, captions, and boxes alone; clips a box to its image', async () => {
    const polygon = await (await annotate('polygon', { segmentation: [[2, 3, 8, 3, 8, 9, 2, 9]] })).load(0);
    expect(polygon.objects[0]).toMatchObject({ phrase: 'cyst', boxXyxyPx: [2, 3, 8, 9] });
    // Column-major: skip 2 columns and 3 rows, then 6 rows of one column.
    const runs = await (await annotate('runs', { segmentation: { size: [20, 20], counts: [43, 6, 351] } })).load(0);
    expect(runs.objects[0]?.boxXyxyPx).toEqual([2, 3, 3, 9]);
    const caption = await (await annotate('caption', { caption: 'a dark spot', bbox: [15, 15, 10, 2] })).load(0);
    expect(caption.objects[0]).toMatchObject({ phrase: 'a dark spot', boxXyxyPx: [15, 15, 20, 17] });
  });

  it.each([
    ['a box outside', { bbox: [30, 30, 4, 4] }, /annotation 5: its box .* lies outside the 20x20 image/],
    ['an RLE of another size', { segmentation: { size: [9, 9], counts: [81] } }, /annotation 5: its RLE is for 9x9/],
    ['an unknown category', { category_id: 7, bbox: [1, 1, 2, 2] }, /annotation 5: it has neither/],
    ['an empty mask', {}, /annotation 5: it has no bbox/],
  ])('names the annotation with %s', async (name, annotation, message) => {
    const dataset = await annotate(name.replaceAll(' ', '-'), annotation);
    await expect(dataset.load(0)).rejects.toThrow(message);
    await expect(dataset.load(0)).rejects.toThrow(DataError);
  });

  it('says where the annotations should be', async () => {
    await expectError(CocoDataset.open(join(dir, 'nothing'), 'val'), {
      code: 'E_FILE_NOT_FOUND',
      where: /annotations.val\.json/,
    });
  });
});

describe('splits', () => {
  it('give every sample to one split, 70/20/10, the same for the same seed', () => {
    const { train, val, test } = splitIndices(42, { train: 0.7, val: 0.2, test: 0.1 }, 42);
    expect([train.length, val.length, test.length]).toEqual([29, 8, 5]);
    expect([...train, ...val, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: 42 }, (_, i) => i));
    expect(splitIndices(42, { train: 0.7, val: 0.2, test: 0.1 }, 42).test).toEqual(test);
    expect(splitIndices(42, { train: 0.7, val: 0.2, test: 0.1 }, 43).test).not.toEqual(test);
  });

  it('test every sample once over the folds, and validate on a fifth of the rest', () => {
    const folds = kFolds(42, 5, 1);
    expect(folds.flatMap(({ test }) => test).sort((a, b) => a - b)).toEqual(Array.from({ length: 42 }, (_, i) => i));
    for (const { train, val, test } of folds) {
      expect(new Set([...train, ...val, ...test]).size).toBe(42);
      expect(val.length).toBe(Math.floor((42 - test.length) / 5));
    }
  });

  it.each([
    [3, 5],
    [10, 1],
  ])('refuse to cut %i images into %i folds', (n, k) => {
    expectError(() => kFolds(n, k, 1), { code: 'E_SPLIT_EMPTY', class: DataError, where: 'folds' });
  });
});

describe('BatchLoader', () => {
  const collect = async (loader: BatchLoader, epoch: number) => {
    const batches = [];
    for await (const batch of loader.epoch(epoch)) batches.push(batch);
    return batches;
  };

  it.each(['none', 'paper', 'ultrasound'] as const)(
    'gives the same batches for the same seed, with augmentation %s',
    async (augment) => {
      const options = { batchSize: 4, shuffle: true, seed: 9, augment };
      const first = await collect(new BatchLoader(phantoms, options), 3);
      expect(first.map((batch) => batch.length)).toEqual([4, 2]);
      expect(await collect(new BatchLoader(phantoms, options), 3)).toEqual(first);
      const ids = (batches: typeof first) => batches.flat().map(({ id }) => id);
      expect(ids(await collect(new BatchLoader(phantoms, options), 4))).not.toEqual(ids(first));
      expect(new Set(ids(first)).size).toBe(6);
    },
  );

  it.each(['paper', 'ultrasound'] as const)('keeps boxes tight around moved masks, with augmentation %s', async (augment) => {
    const batches = await collect(new BatchLoader(phantoms, { batchSize: 6, shuffle: false, seed: 2, augment }), 0);
    const objects = batches.flat().flatMap((sample) => sample.objects);
    expect(objects.length).toBeGreaterThan(0);
    for (const { mask, boxXyxyPx } of objects) {
      const columns = [...mask.data].flatMap((value, i) => (value === 1 ? [i % mask.width] : []));
      expect([boxXyxyPx[0], boxXyxyPx[2]]).toEqual([Math.min(...columns), Math.max(...columns) + 1]);
    }
  });

  it('reports a file that cannot be read when its batch comes', async () => {
    const broken = {
      name: 'broken',
      size: 3,
      load: () => Promise.reject(new DataError({ code: 'E_IMAGE_DAMAGED', where: 'x.png', what: 'broken' })),
    };
    await expectError(collect(new BatchLoader(broken, { batchSize: 1, shuffle: false, seed: 0, augment: 'none' }), 0), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.png',
    });
  });
});
