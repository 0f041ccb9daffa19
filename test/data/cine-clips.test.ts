import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { findImages } from '../../src/cli/images/find-images.js';
import { FoldersDataset } from '../../src/data/index.js';
import { imageStem } from '../../src/imaging/index.js';
import { dicom } from '../support/dicom.js';
import { expectError } from '../support/expect-error.js';
import { nifti } from '../support/nifti.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const [W, H] = [8, 8];

const dir = temporaryFolder('films');
beforeAll(async () => {
  await Promise.all(['images', 'masks'].map((folder) => mkdir(join(dir, folder))));
  const frame = (level: number) => new Uint8Array(W * H).fill(level);
  await writeFile(join(dir, 'images', 'film.dcm'), dicom({ width: W, height: H, frames: [frame(50), frame(60)] }));
  await writeFile(
    join(dir, 'images', 'volume.nii.gz'),
    nifti({ dims: [W, H, 2], values: [...frame(70), ...frame(80)], gzip: true }),
  );
  const square = Array.from({ length: W * H }, (_, i) => Number(i % W < 4 && i < 4 * W));
  await writeFile(join(dir, 'masks', 'volume.nii'), nifti({ dims: [W, H, 2], values: [...square, ...frame(0)] }));
  for (const k of [0, 1])
    await writeFile(
      join(dir, 'masks', `film_${k}.png`),
      await sharp(
        Uint8Array.from(square, (v) => v * 255),
        { raw: { width: W, height: H, channels: 1 } },
      )
        .png()
        .toBuffer(),
    );
});

describe('clips and volumes', () => {
  it('stand for all their images where images are looked for', async () => {
    const images = join(dir, 'images');
    const named = (fileName: string, id: string) => ({ path: join(images, fileName), id, fileName });
    expect(await findImages([images])).toEqual([
      named('film.dcm#0', 'film_0'),
      named('film.dcm#1', 'film_1'),
      named('volume.nii.gz#0', 'volume_0'),
      named('volume.nii.gz#1', 'volume_1'),
    ]);
    expect(await findImages([join(images, 'film.dcm#1')])).toEqual([named('film.dcm#1', 'film_1')]);
  });

  it('go with masks frame by frame', async () => {
    const data = await FoldersDataset.open(dir, { phrase: 'lesion' });
    const samples = await Promise.all(Array.from({ length: data.size }, (_, i) => data.load(i)));
    expect(samples.map(({ id, image, objects }) => [id, image.data[0], objects.length])).toEqual([
      ['film_0', 50, 1],
      ['film_1', 60, 1],
      ['volume_0', 70, 1],
      ['volume_1', 80, 0],
    ]);
    expect(samples[2]?.objects[0]?.boxXyxyPx).toEqual([0, 0, 4, 4]);
  });

  it('turns the labels of a volume to its image, and refuses those that lie elsewhere', async () => {
    const own = await mkdtemp(join(tmpdir(), 'sonoground-turned-'));
    await Promise.all(['images', 'masks'].map((folder) => mkdir(join(own, folder))));
    const rows = (first: readonly number[]) => [first, [0, 1, 0, 0], [0, 0, 1, 0]];
    const corner = Array.from({ length: W * H * 2 }, (_, i) => Number(i % W < 3 && i % (W * H) < 2 * W));
    const dims = [W, H, 2];
    await writeFile(join(own, 'images', 'v.nii'), nifti({ dims, values: corner, sform: rows([1, 0, 0, 0]) }));
    const mask = join(own, 'masks', 'v.nii');
    await writeFile(mask, nifti({ dims, values: corner, sform: rows([-1, 0, 0, W - 1]) }));
    const data = await FoldersDataset.open(own, { phrase: 'lesion' });
    expect((await data.load(1)).objects[0]?.boxXyxyPx).toEqual([W - 3, 0, W, 2]);
    await writeFile(mask, nifti({ dims, values: [...corner], sform: rows([1, 0, 0, 4]) }));
    await expectError(data.load(0), { code: 'E_MASK_SIZE', where: 'v.nii', what: 'the labels lie elsewhere than their volume' });
    await rm(own, { recursive: true });
  });

  it.each([
    ['a/scan.png', 'scan'],
    ['a/scan.v2.png', 'scan.v2'],
    ['a/film.dcm#12', 'film_12'],
    ['a/volume.nii.gz#y4t2', 'volume_y4t2'],
    ['a/1.2.840.113', '1.2.840.113'],
  ])('name the result of %s %s', (name, stem) => {
    expect(imageStem(name)).toBe(stem);
  });
});
