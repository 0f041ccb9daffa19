import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { CocoDataset, type Sample } from '../../src/data/index.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('coco');
let made = 0;

/** A dataset of a 20x12 image, with that annotation file. */
async function written(file: object | string): Promise<string> {
  const root = join(dir, String(made++));
  await mkdir(join(root, 'images'), { recursive: true });
  await mkdir(join(root, 'annotations'));
  await sharp({ create: { width: 20, height: 12, channels: 3, background: '#555' } }).toFile(join(root, 'images', 'a.png'));
  await writeFile(join(root, 'annotations', 'test.json'), typeof file === 'string' ? file : JSON.stringify(file));
  return root;
}

/** A 20x12 image with one annotation of id 5; `file` replaces whole lists of the annotation file, or all of its text. */
async function loadFirst(annotation: object, file: object | string = {}): Promise<Sample> {
  const whole = {
    info: { year: 2025 },
    images: [{ id: 1, file_name: 'a.png' }],
    annotations: [{ id: 5, image_id: 1, category_id: 2, ...annotation }],
    categories: [{ id: 2, name: 'cyst' }],
  };
  const root = await written(typeof file === 'string' ? file : { ...whole, ...file });
  return (await CocoDataset.open(root, 'test')).load(0);
}

const bbox = [2, 3, 5, 4];
const boxOf = ({ objects }: Sample) => objects[0]?.boxXyxyPx;

describe('an annotation', () => {
  it.each<[name: string, annotation: object, box: number[]]>([
    ['with a box only, as some tools write it', { segmentation: [], bbox }, [2, 3, 7, 7]],
    ['whose polygon partly leaves the image', { segmentation: [[10, 5, 60, 5, 60, 60, 10, 60]] }, [10, 5, 20, 12]],
    ['with null for absent fields', { segmentation: null, caption: null, area: null, bbox }, [2, 3, 7, 7]],
    ['whose box is larger than its polygon', { segmentation: [[3, 4, 6, 4, 6, 6, 3, 6]], bbox }, [3, 4, 6, 6]],
    [
      'of two polygons, one outside',
      {
        segmentation: [
          [1, 1, 4, 1, 4, 3, 1, 3],
          [50, 50, 60, 50, 60, 60],
        ],
      },
      [1, 1, 4, 3],
    ],
  ])('reads an annotation %s', async (_name, annotation, box) => {
    expect(boxOf(await loadFirst(annotation))).toEqual(box);
  });

  it('has the phrase by which it is asked for, whatever its category or caption is spelt like', async () => {
    const categories = [{ id: 2, name: 'BI-RADS 4.a lesion' }];
    const named = await loadFirst({ bbox }, { categories });
    expect([named.phrases, named.objects[0]?.phrase]).toEqual([['bi-rads 4 a lesion'], 'bi-rads 4 a lesion']);
    const captioned = await loadFirst({ bbox, caption: 'Breast lesion.' });
    expect([captioned.phrases, captioned.objects[0]?.phrase]).toEqual([['breast lesion'], 'breast lesion']);
  });

  it.each<[name: string, annotation: object, message: RegExp]>([
    ['an odd polygon', { segmentation: [[2, 3, 8, 3, 8, 9, 1]] }, /annotation 5: segmentation\.0: A polygon is a list/],
    ['a polygon of two points', { segmentation: [[2, 3, 8, 3]] }, /annotation 5: segmentation\.0: A polygon is a list/],
    [
      'a polygon outside the image',
      { segmentation: [[50, 50, 60, 50, 60, 60]] },
      /annotation 5: its polygons lie outside the 20x12/,
    ],
    [
      'an RLE that is too short',
      { segmentation: { size: [12, 20], counts: [43, 6] } },
      /annotation 5: its RLE .* 49 pixels.* 240/,
    ],
    ['an RLE that is too long', { segmentation: { size: [12, 20], counts: [43, 1e15] } }, /annotation 5: its RLE cannot be/],
    ['a negative run', { segmentation: { size: [12, 20], counts: [43, -6, 203] } }, /annotation 5: segmentation\.counts/],
    ['a damaged RLE string', { segmentation: { size: [12, 20], counts: 'zz~~' } }, /annotation 5: its RLE cannot be decoded/],
    ['a box without area', { bbox: [2, 2, 0, 5] }, /annotation 5: its box \[2, 2, 0, 5\] has no area/],
    ['text instead of a number', { bbox: ['a', 1, 2, 3] }, /annotation 5: bbox\.0: .*number/],
    ['an image that is not listed', { image_id: 99, bbox }, /annotation 5: there is no image 99/],
    ['null and no box', { segmentation: null }, /annotation 5: it has no bbox, no segmentation and no mask_file/],
    [
      'a one-point polygon beside a valid one',
      {
        segmentation: [
          [1, 1, 9, 1, 9, 9],
          [5, 5],
        ],
      },
      /annotation 5: segmentation\.1: A polygon/,
    ],
    [
      'a polygon in relative coordinates',
      { segmentation: [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9]] },
      /annotation 5: .*normalised coordinates/,
    ],
    ['a box in relative coordinates', { bbox: [0.1, 0.1, 0.5, 0.5] }, /annotation 5: .*normalised coordinates/],
    ['an RLE of zero size', { segmentation: { size: [12, 20], counts: [240] } }, /annotation 5: its mask is empty/],
    [
      'an RLE of a huge size',
      { segmentation: { size: [1e6, 1e6], counts: [1e12] } },
      /annotation 5: its RLE is for 1000000x1000000/,
    ],
    ['a missing mask', { mask_file: 'gone.png' }, /annotation 5: its mask masks\/gone\.png: there is no such file/],
    ['a mask outside', { mask_file: '../images/a.png' }, /annotation 5: mask_file: the name .* leads out of its folder/],
    ['an empty caption', { caption: ' ', bbox }, /annotation 5: caption: It is empty/],
  ])('with %s is refused, naming its id', async (_name, annotation, message) => {
    const attempt = loadFirst(annotation);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/test\.json/);
  });
});

describe('of many annotations', () => {
  const images = [1, 2].map((id) => ({ id, file_name: 'a.png' }));
  const categories = [{ id: 2, name: 'cyst' }];

  it('one that cannot be used refuses its own image alone', async () => {
    const annotations = [
      { id: 5, image_id: 1, category_id: 2, bbox },
      { id: 6, image_id: 2, category_id: 2, segmentation: [[1, 1]] },
      { id: 6, image_id: 2, category_id: 2, bbox },
    ];
    const root = await written({ images, annotations, categories });
    const data = await CocoDataset.open(root, 'test');
    expect(boxOf(await data.load(0))).toEqual([2, 3, 7, 7]);
    await expectError(data.load(1), {
      code: 'E_ANNOTATIONS_INVALID',
      where: 'test.json',
      what: 'annotation 6: segmentation.0: A polygon',
    });
  });

  it('sixty thousand of one image are kept without copying the list for each, and refused by name where masks fill the memory', async () => {
    const annotations = Array.from({ length: 60_000 }, (_, id) => ({ id, image_id: 1, category_id: 2, bbox }));
    const root = await written({ images, annotations, categories });
    const data = await CocoDataset.open(root, 'test');
    expect((await data.load(0)).objects).toHaveLength(60_000);
    await sharp({ create: { width: 600, height: 600, channels: 3, background: '#555' } }).toFile(join(root, 'images', 'a.png'));
    await expectError(data.load(0), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'a.png',
      what: 'it has 60000 annotations, whose masks of 600x600 would take 20 GiB',
    });
  });

  it('a polygon of a million numbers is drawn', async () => {
    const turn = (2 * Math.PI) / 1e6;
    const polygon = Array.from({ length: 1e6 }, (_, i) =>
      i % 2 === 0 ? 10 + 5 * Math.cos(i * turn) : 6 + 4 * Math.sin(i * turn),
    );
    const [x0, y0, x1, y1] = boxOf(await loadFirst({ segmentation: [polygon] })) ?? [];
    expect([x0, y0, x1, y1]).toEqual([5, 2, 15, 10]);
  });
});

describe('an annotation file', () => {
  const image = { id: 1, file_name: 'a.png' };
  it.each<[name: string, file: object | string, message: RegExp]>([
    ['that is cut off', '{"images": [', /test\.json: it is not valid JSON/],
    ['that is not an object', '[]', /test\.json: .*expected object/],
    [
      'of an image outside',
      { images: [{ id: 1, file_name: '../images/a.png' }] },
      /image 1: file_name: .* leads out of its folder/,
    ],
    ['of an image anywhere', { images: [{ id: 1, file_name: '/etc/a.png' }] }, /image 1: file_name: .* is an absolute path/],
    ['without images', { images: undefined }, /test\.json: images: /],
    ['with an image id twice', { images: [image, { id: 1, file_name: 'b.png' }] }, /image 1: its id is used twice/],
    [
      'with a category id twice',
      {
        categories: [
          { id: 2, name: 'a' },
          { id: 2, name: 'b' },
        ],
      },
      /category 2: its id is used twice/,
    ],
    ['with an unnamed category', { categories: [{ id: 2, name: '' }] }, /category 2: name: It is empty/],
    ['with an image that has no id', { images: [{ file_name: 'a.png' }] }, /image number 1 of the list: id/],
    [
      'of another image size',
      { images: [{ ...image, width: 40, height: 24 }] },
      /a\.png: it is 20x12, but .*test\.json says 40x24/,
    ],
    [
      'with many problems, listing the first and counting the rest',
      { annotations: Array.from({ length: 9 }, (_, i) => ({ id: i, image_id: 7 })) },
      /annotation 0: there is no image 7; annotation 1: .*; and 4 more/,
    ],
  ])('%s is refused', async (_name, file, message) => {
    const attempt = loadFirst({ bbox }, file);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(DataError);
  });

  it('may begin with a byte order mark', async () => {
    const file = { images: [image], annotations: [{ id: 'x', image_id: 1, caption: 'node', bbox }] };
    expect(boxOf(await loadFirst({}, `\uFEFF${JSON.stringify(file)}`))).toEqual([2, 3, 7, 7]);
  });
});
