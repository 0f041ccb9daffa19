import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { FoldersDataset, importDataset } from '../../../src/data/index.js';
import { expectError } from '../../support/expect-error.js';
import { type NiftiParts, nifti } from '../../support/nifti.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mask, put, scan } from './miniatures/draw.js';
import { objectsBySource } from './support.js';

const dir = temporaryFolder('unclear');

let made = 0;
const folder = () => join(dir, String(made++));
const [W, H] = [40, 30];

/** A grey mask of a level for each pixel. */
const grey = (level: (x: number, y: number) => number) =>
  sharp(
    Uint8Array.from({ length: W * H }, (_, i) => level(i % W, Math.floor(i / W))),
    { raw: { width: W, height: H, channels: 1 } },
  )
    .toColourspace('b-w')
    .png()
    .toBuffer();
const inside = (x: number, y: number) => x >= 5 && x < 15 && y >= 6 && y < 12;
const LESION = [['lesion', 5, 6, 10, 6]];

describe('images in folders', () => {
  it('become no negatives by masks that show something and no object', async () => {
    const [from, to] = [folder(), folder()];
    const masks = {
      dark: await grey((x, y) => (inside(x, y) ? 38 : 0)),
      plain: await mask(W, H, [[5, 6, 10, 6]]),
      blank: await mask(W, H, []),
      dots: await grey((x, y) => ((x === 3 || x === 30) && y === 4 ? 255 : 0)),
      picture: await grey((x, y) => 30 + ((x * 7 + y * 13) % 90)),
      inverse: await grey((x, y) => (inside(x, y) ? 100 : 200)),
    };
    for (const [name, bytes] of Object.entries(masks)) {
      await put(from, `images/${name}.png`, await scan(W, H, name.length));
      await put(from, `masks/${name}.png`, bytes);
    }
    const { problems } = await importDataset({ dataset: 'folders', from, to });
    expect(await objectsBySource(to)).toEqual({
      'images/dark.png': LESION,
      'images/plain.png': LESION,
      'images/blank.png': [],
    });
    expect(problems.map(({ file, what }) => [file, what]).sort()).toEqual([
      ['masks/dots.png', 'the mask shows no object: 2 pixels in pieces of less than 4'],
      ['masks/inverse.png', 'the mask has no background 0: levels 100, 200'],
      ['masks/picture.png', expect.stringContaining('the mask has no background 0')],
    ]);
  });

  it('are not trained on with such masks either, and a small lesion is not dropped', async () => {
    const root = folder();
    const masks = {
      'a-dark': await grey((x, y) => (inside(x, y) ? 38 : 0)),
      'b-small': await grey((x, y) => (x < 2 && y < 3 ? 255 : 0)),
      'c-blank': await grey(() => 0),
      'd-dots': await grey((x, y) => ((x === 3 || x === 30) && y === 4 ? 255 : 0)),
    };
    for (const [name, bytes] of Object.entries(masks)) {
      // In the smallest image whose thousandth split is more than the small lesion.
      await put(root, `images/${name}.png`, await scan(W * 10, H * 10, name.length));
      await put(
        root,
        `masks/${name}.png`,
        await sharp(bytes)
          .resize(W * 10, H * 10, { kernel: 'nearest' })
          .png()
          .toBuffer(),
      );
    }
    await put(root, 'masks/b-small.png', await mask(W * 10, H * 10, [[20, 30, 5, 6]]));
    await put(root, 'masks/d-dots.png', await mask(W * 10, H * 10, [[20, 30, 1, 3]]));
    const data = await FoldersDataset.open(root, { phrase: 'lesion' });
    const loaded = await Promise.all([0, 1, 2].map((i) => data.load(i)));
    expect(loaded.map(({ objects }) => objects.map(({ boxXyxyPx }) => boxXyxyPx))).toEqual([
      [[50, 60, 150, 120]],
      [[20, 30, 25, 36]],
      [],
    ]);
    await expectError(data.load(3), { code: 'E_MASK_EMPTY', where: 'd-dots.png', what: 'the mask shows no object: 3 pixels' });
  });
});

describe('volumes with labels', () => {
  const DIMS = [12, 8, 3] as const;
  const voxels = (value: (x: number, y: number, z: number) => number) =>
    Array.from({ length: 288 }, (_, i) => value(i % 12, Math.floor(i / 12) % 8, Math.floor(i / 96)));
  /** In the middle plane alone, nearer to one side of each axis. */
  const label = (x: number, y: number, z: number) => Number(z === 1 && x >= 1 && x < 5 && y >= 1 && y < 4);
  const IDENTITY = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
  ];

  async function importing(image: Partial<NiftiParts>, labels: Partial<NiftiParts>, prompts: string[] = ['cyst']) {
    const [from, to] = [folder(), folder()];
    const plain = { dims: DIMS, values: voxels((x, y, z) => x + y + z), gzip: true };
    await put(from, 'images/v.nii.gz', nifti({ ...plain, ...image }));
    await put(from, 'labels/v.nii.gz', nifti({ ...plain, values: voxels(label), ...labels }));
    const { problems } = await importDataset({ dataset: 'nifti', from, to, prompts });
    return { problems, objects: await objectsBySource(to) };
  }
  const RIGHT = { 'images/v.nii.gz#0': [], 'images/v.nii.gz#1': [['cyst', 1, 1, 4, 3]], 'images/v.nii.gz#2': [] };

  it.each([
    [
      'mirrored along the first axis',
      { sform: [[-1, 0, 0, 11], ...IDENTITY.slice(1)], values: voxels((x, y, z) => label(11 - x, y, z)) },
    ],
    [
      'mirrored along the second axis',
      { sform: [IDENTITY[0], [0, -1, 0, 7], IDENTITY[2]] as number[][], values: voxels((x, y, z) => label(x, 7 - y, z)) },
    ],
    [
      'with their planes in the other order',
      { sform: [...IDENTITY.slice(0, 2), [0, 0, -1, 2]], values: voxels((x, y, z) => label(x, y, 2 - z)) },
    ],
    [
      'with axes exchanged',
      {
        dims: [8, 12, 3],
        sform: [[0, 1, 0, 0], [1, 0, 0, 0], IDENTITY[2]] as number[][],
        values: Array.from({ length: 288 }, (_, i) => label(Math.floor(i / 8) % 12, i % 8, Math.floor(i / 96))),
      },
    ],
    ['off by a rounded origin', { sform: [[1, 0, 0, 0.002], ...IDENTITY.slice(1)] }],
    ['without an orientation', {}],
  ])('are aligned with their image: %s', async (_name, labels) => {
    expect(await importing({ sform: IDENTITY }, labels)).toEqual({ problems: [], objects: RIGHT });
  });

  it('believe the sform before the qform', async () => {
    // Half a turn about the third axis.
    const labels = { sform: IDENTITY, qform: [0, 0, 1] as [number, number, number] };
    expect(await importing({ sform: IDENTITY }, labels)).toEqual({ problems: [], objects: RIGHT });
  });

  it.each([
    ['shifted', { sform: [[1, 0, 0, 5], ...IDENTITY.slice(1)] }, /lie elsewhere than their volume.*from \[5, 0, 0\]/],
    ['on another grid', { sform: [[2, 0, 0, 0], ...IDENTITY.slice(1)] }, /lie elsewhere than their volume/],
    ['rotated', { sform: [[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], IDENTITY[2]] as number[][] }, /lie elsewhere than their volume/],
  ])('are refused when %s', async (_name, labels, message) => {
    await expectError(importing({ sform: IDENTITY }, labels), { code: 'E_DATASET_NOT_FOUND', what: message });
  });

  it('in one volume for each class are those classes, the first of them the background', async () => {
    const channels = [
      ...voxels((x, y, z) => 1 - label(x, y, z) - Number(z === 2 && x > 8)),
      ...voxels(label),
      ...voxels((x, _y, z) => Number(z === 2 && x > 8)),
    ];
    const labels = { dims: [...DIMS, 3], values: channels };
    const { objects } = await importing({}, labels, ['cyst', 'gland']);
    expect(objects).toEqual({
      'images/v.nii.gz#0': [],
      'images/v.nii.gz#1': [['cyst', 1, 1, 4, 3]],
      'images/v.nii.gz#2': [['gland', 9, 0, 3, 8]],
    });
    expect((await importing({}, labels)).objects['images/v.nii.gz#2']).toEqual([['cyst', 9, 0, 3, 8]]);
  });

  it('of as many time points as the image go with them', async () => {
    const values = [...voxels(label), ...voxels((x, y, z) => label(x - 2, y, z))];
    const { objects } = await importing(
      { dims: [...DIMS, 2], values: [...voxels((x) => x), ...voxels((x) => x + 50)] },
      { dims: [...DIMS, 2], values },
    );
    expect(Object.keys(objects)).toHaveLength(6);
    expect(objects['images/v.nii.gz#1t0']).toEqual([['cyst', 1, 1, 4, 3]]);
    expect(objects['images/v.nii.gz#1t1']).toEqual([['cyst', 3, 1, 4, 3]]);
  });

  it.each([
    [
      'one mask volume for several image volumes',
      { dims: [...DIMS, 2], values: Array(576).fill(9) },
      {},
      /its image has 2 time points/,
    ],
    [
      'several volumes that overlap',
      {},
      { dims: [...DIMS, 2], values: [...voxels(label), ...voxels(label)] },
      /holds 2 volumes of labels over 1 of its image, and not in each place one/,
    ],
    [
      'a first volume that is not the largest',
      {},
      { dims: [...DIMS, 2], values: [...voxels(label), ...voxels((x, y, z) => 1 - label(x, y, z))] },
      /the first, which would be the background, is not the largest/,
    ],
  ])('are refused: %s', async (_name, image, labels, message) => {
    await expectError(importing(image, labels), { code: 'E_DATASET_NOT_FOUND', what: message });
  });

  it.each([16, 100, 127, 256, 300])('count every value but 0 as inside: %d', async (level) => {
    const labels = { datatype: 4 as const, values: voxels((x, y, z) => level * label(x, y, z)) };
    expect(await importing({}, labels)).toEqual({ problems: [], objects: RIGHT });
  });

  it('keep classes that rounding has made a little less', async () => {
    const labels = { datatype: 16 as const, values: voxels((x, y, z) => 0.9999 * label(x, y, z)) };
    expect((await importing({}, labels, ['cyst', 'gland'])).objects).toEqual(RIGHT);
  });
});
