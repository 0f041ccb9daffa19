import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CocoDataset, importDataset } from '../../../src/data/index.js';
import { decodeImage } from '../../../src/imaging/index.js';
import { dicom } from '../../support/dicom.js';
import { nifti } from '../../support/nifti.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { mask, put, scan } from './miniatures/draw.js';
import { objectsBySource, readSplit } from './support.js';

const dir = temporaryFolder('layouts');

let made = 0;
const folder = () => join(dir, String(made++));

describe('folders', () => {
  it('takes images/ and masks/ of one class, named by --prompt, masks with or without a suffix', async () => {
    const [from, to] = [folder(), folder()];
    for (const n of [1, 2, 3, 4]) {
      await put(from, `images/scan ${n}.jpg`, await scan(40, 30, n, 'jpg'));
      await put(from, `masks/scan ${n}${n % 2 === 0 ? '_mask' : ''}.png`, await mask(40, 30, n === 4 ? [] : [[3, 4, 10, 8]]));
    }
    const report = await importDataset({ dataset: 'folders', from, to, prompts: ['liver tumor'] });
    expect(report.phrases).toEqual({ 'liver tumor': expect.anything() });
    expect(report.notes).toEqual([]);
    expect(await objectsBySource(to)).toEqual({
      'images/scan 1.jpg': [['liver tumor', 3, 4, 10, 8]],
      'images/scan 2.jpg': [['liver tumor', 3, 4, 10, 8]],
      'images/scan 3.jpg': [['liver tumor', 3, 4, 10, 8]],
      'images/scan 4.jpg': [],
    });
    const splits = await Promise.all(['train', 'val', 'test'].map((split) => readSplit(to, split)));
    const empty = splits.flatMap(({ images }) => images).find(({ source }) => source === 'images/scan 4.jpg');
    expect(empty?.phrases).toEqual(['liver tumor']);
  });

  it.each([
    ['a class above', (kind: string, label: string) => `${label}/${kind}`],
    ['a class below', (kind: string, label: string) => `${kind}/${label}`],
  ])('imports one folder per class (%s), keeping equal numbers apart', async (_name, place) => {
    const [from, to] = [folder(), folder()];
    for (const [i, label] of ['Cyst', 'solid_mass'].entries())
      for (const n of [1, 2]) {
        await put(from, `${place('images', label)}/${n}.png`, await scan(40, 30, n + 10 * i));
        await put(from, `${place('masks', label)}/${n}.png`, await mask(40, 30, [[3 + i, 4, 10, 8]]));
      }
    const { counts } = await importDataset({ dataset: 'folders', from, to });
    expect([counts.train.files, counts.val.files, counts.test.files]).toEqual([2, 1, 1]);
    expect(Object.values(await objectsBySource(to))).toEqual(
      expect.arrayContaining([[['cyst', 3, 4, 10, 8]], [['solid mass', 4, 4, 10, 8]]]),
    );
  });

  it('takes several classes of one image, and splits that are there already', async () => {
    const [from, to] = [folder(), folder()];
    for (const split of ['train', 'valid', 'test']) {
      await put(from, `${split}/images/a.png`, await scan(40, 30, split.length));
      await put(from, `${split}/masks/cortex/a.png`, await mask(40, 30, [[1, 1, 9, 9]]));
      await put(from, `${split}/masks/medulla/a.png`, await mask(40, 30, [[20, 10, 5, 6]]));
    }
    const { counts } = await importDataset({ dataset: 'folders', from, to });
    expect(counts.val).toEqual({ rows: 2, images: 1, files: 1 });
    expect((await objectsBySource(to))['valid/images/a.png']).toEqual([
      ['cortex', 1, 1, 9, 9],
      ['medulla', 20, 10, 5, 6],
    ]);
  });
});

/** Grey levels that are other ones for each seed. */
const noise = (i: number, seed: number) =>
  Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b), 0xc2b2ae35) >>> 24;

describe('folders of DICOM', () => {
  it('become PNG with their spacing and without their headers', async () => {
    const [from, to] = [folder(), folder()];
    // Images that are alike would be kept in one split.
    const frameOf = (n: number) => Uint8Array.from({ length: 40 * 30 }, (_, i) => noise(i, n));
    const frame = frameOf(4);
    const more = {
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'DOE^JANE' }] },
      '00280030': { vr: 'DS', Value: [0.5, 0.25] },
    };
    for (const n of [1, 2, 3]) {
      await put(from, `images/${n}.dcm`, dicom({ width: 40, height: 30, frames: [frameOf(n)], more }));
      await put(from, `masks/${n}.png`, await mask(40, 30, [[3, 4, 10, 8]]));
    }
    // A film whose only mask does not say of which frame it is.
    await put(from, 'images/4.dcm', dicom({ width: 40, height: 30, frames: [frame, frame] }));
    await put(from, 'masks/4.png', await mask(40, 30, [[3, 4, 10, 8]]));
    const report = await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect(report.problems).toEqual([
      { file: 'masks/4.png', what: expect.stringContaining('its image holds 2 frames: name the one it belongs to') },
    ]);
    expect((await readdir(join(to, 'images'))).sort()).toEqual([1, 2, 3].map((n) => `folders_${n}.png`));
    const bytes = await readFile(join(to, 'images', 'folders_1.png'));
    expect(bytes.readUInt32BE(0)).toBe(0x89504e47);
    expect(bytes.includes('DOE')).toBe(false);
    const { images } = JSON.parse(await readFile(join(to, 'annotations', 'val.json'), 'utf8'));
    expect(images[0].pixel_spacing_mm).toEqual([0.25, 0.5]);
  });
});

describe('clips in folders', () => {
  const framesOf = (seed: number) =>
    [1, 2, 3].map((n) => Uint8Array.from({ length: 40 * 30 }, (_, i) => noise(i, 10 * seed + n)));
  const frames = framesOf(1);
  const filmOf = (seed: number) => dicom({ width: 40, height: 30, frames: framesOf(seed) });
  const film = filmOf(1);

  it('are an image for each frame that has a mask, all of a clip in one split', async () => {
    const [from, to] = [folder(), folder()];
    // A mask film, of which the middle frame is empty; masks of single frames; a plain image.
    const mask255 = [8, 0, 5].map((side) => {
      const data = new Uint8Array(40 * 30);
      for (let y = 2; y < 2 + side; y++) data.fill(255, y * 40 + 3, y * 40 + 3 + side);
      return data;
    });
    await put(from, 'images/a.dcm', film);
    await put(from, 'masks/a.dcm', dicom({ width: 40, height: 30, frames: mask255 }));
    await put(from, 'images/b.dcm', filmOf(2));
    await put(from, 'masks/b#0.png', await mask(40, 30, [[1, 1, 9, 9]]));
    await put(from, 'masks/b_2.png', await mask(40, 30, [[20, 10, 5, 6]]));
    await put(from, 'images/c.png', await scan(40, 30, 1));
    await put(from, 'masks/c.png', await mask(40, 30, [[2, 3, 4, 5]]));
    const report = await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect(report.problems).toEqual([]);
    expect(await objectsBySource(to)).toEqual({
      'images/a.dcm#0': [['cyst', 3, 2, 8, 8]],
      'images/a.dcm#1': [],
      'images/a.dcm#2': [['cyst', 3, 2, 5, 5]],
      'images/b.dcm#0': [['cyst', 1, 1, 9, 9]],
      'images/b.dcm#2': [['cyst', 20, 10, 5, 6]],
      'images/c.png': [['cyst', 2, 3, 4, 5]],
    });
    const splits = await Promise.all((['train', 'val', 'test'] as const).map((split) => readSplit(to, split)));
    const groups = splits.map(({ images }) => new Set(images.map(({ group }) => group)));
    for (const name of ['a', 'b', 'c']) expect(groups.filter((own) => own.has(name))).toHaveLength(1);
    expect((await readdir(join(to, 'images'))).sort()).toContain('folders_a-001.png');
    const second = await decodeImage(join(to, 'images', 'folders_b-002.png'));
    expect([...second.data].filter((_, i) => i % 3 === 0)).toEqual(
      [...(await decodeImage(join(from, 'images/b.dcm#2'))).data].filter((_, i) => i % 3 === 0),
    );
  });

  it('say what does not fit', async () => {
    const [from, to] = [folder(), folder()];
    await put(from, 'images/a.dcm', film);
    await put(from, 'masks/a#3.png', await mask(40, 30, [[1, 1, 9, 9]]));
    await put(from, 'images/b.dcm', film);
    await put(from, 'masks/b.dcm', dicom({ width: 40, height: 30, frames: frames.slice(1) }));
    await put(from, 'images/c.dcm', dicom({ width: 40, height: 30, frames: frames.slice(1, 2) }));
    await put(from, 'masks/c_1.png', await mask(40, 30, [[1, 1, 9, 9]]));
    await put(from, 'images/d.png', await scan(40, 30, 1));
    await put(from, 'masks/d.png', await mask(40, 30, [[2, 3, 4, 5]]));
    const { problems, counts } = await importDataset({ dataset: 'folders', from, to, prompts: ['cyst'] });
    expect(Object.fromEntries(problems.map(({ file, what }) => [file, what]))).toEqual({
      'masks/a#3.png': 'its image has no frame 3: they are numbered 0 to 2',
      'masks/b.dcm': 'it holds 2 frames, its image 3',
      'masks/c_1.png': 'a mask without its image',
      'images/c.dcm': 'it has no mask',
    });
    expect(counts.train.images + counts.val.images + counts.test.images).toBe(1);
  });
});

describe('coco', () => {
  it('takes polygons, RLE, boxes and its own layout again, splits and groups kept', async () => {
    const [from, once, twice] = [folder(), folder(), folder()];
    const box = { bbox: [5, 6, 10, 4] };
    const polygon = { segmentation: [[20, 3, 30, 3, 30, 13, 20, 13]] };
    const rle = { segmentation: { size: [30, 40], counts: [30 * 2, 3, 30 * 38 - 3] } };
    for (const [k, split] of ['train', 'val', 'test'].entries()) {
      await put(from, `images/deep/${split} 1.png`, await scan(40, 30, k));
      await put(from, `images/deep/${split} 2.png`, await scan(40, 30, k + 5));
      const images = [1, 2].map((id) => ({ id, file_name: `deep/${split} ${id}.png`, width: 40, height: 30, group: `p${k}` }));
      const annotations = [box, polygon, rle].map((shape, i) => ({ id: i + 1, image_id: 1, category_id: i + 1, ...shape }));
      const categories = ['cyst', 'nodule', 'vessel'].map((name, i) => ({ id: i + 1, name }));
      await put(from, `annotations/instances_${split}2024.json`, JSON.stringify({ images, annotations, categories }));
    }
    const report = await importDataset({ dataset: 'coco', from, to: once });
    expect(report.counts.val).toEqual({ rows: 3, images: 2, files: 2 });
    expect(report.problems).toEqual([]);
    expect((await objectsBySource(once))['images/deep/val 1.png']).toEqual([
      ['cyst', 5, 6, 10, 4],
      ['nodule', 20, 3, 10, 10],
      ['vessel', 2, 0, 1, 3],
    ]);
    const second = await importDataset({ dataset: 'coco', from: once, to: twice });
    expect(second.counts).toEqual(report.counts);
    const groups = (await readSplit(twice, 'val')).images.map(({ group }) => group);
    expect(groups).toEqual(['p1', 'p1']);
  });
});

describe('paper-csv', () => {
  it('takes the tables and folders of the published code, its splits kept and told to leak', async () => {
    const [from, to] = [folder(), folder()];
    const head = 'label_name,bbox_x,bbox_y,bbox_width,bbox_height,image_name,image_width,image_height,dataset';
    await put(from, 'train.CSV', `${head}\nBenign,3,4,10,8,busi_a.png,40,30,busi\nbenign,20,4,6,8,busi_a.png,40,30,busi\n`);
    // Boxes are in pixels of a mask that is twice as large as its image.
    await put(from, 'val.CSV', `${head}\r\ntumor,6,8,20,16,stu_b.png,80,60,stu\r\n`);
    await put(from, 'test.CSV', 'kidney capsule,3,4,10,8,kidnyus_c.png,40,30,kidnyus\nprostate,1,1,5,5,gone.png,40,30,regpro\n');
    for (const [file, seed] of [
      ['train/busi_a.png', 1],
      ['val/stu_b.png', 2],
      ['test_image/kidnyus_c.png', 3],
      ['train/stray.png', 4],
    ] as const)
      await put(from, file, await scan(40, 30, seed));
    // The mask holds more than the box; its bytes are TIFF under the image's name.
    await put(
      from,
      'test_mask/kidnyus_c.png',
      await mask(
        40,
        30,
        [
          [4, 5, 6, 7],
          [25, 20, 8, 5],
        ],
        'tif',
      ),
    );
    const report = await importDataset({ dataset: 'paper-csv', from, to });
    expect(await objectsBySource(to)).toEqual({
      'train/busi_a.png': [
        ['benign', 20, 4, 6, 8],
        ['benign', 3, 4, 10, 8],
      ],
      'val/stu_b.png': [['tumor', 3, 4, 10, 8]],
      'test_image/kidnyus_c.png': [['kidney capsule', 4, 5, 6, 7]],
    });
    expect(report.problems.map(({ file }) => file).sort()).toEqual(['gone.png', 'train/stray.png']);
    expect(report.notes[0]).toMatch(/divides single outlines/);
  });
});

describe('nifti', () => {
  const volume = (value: (x: number, y: number, z: number) => number) =>
    nifti({
      dims: [12, 8, 3],
      values: Array.from({ length: 288 }, (_, i) => value(i % 12, Math.floor(i / 12) % 8, Math.floor(i / 96))),
      pixdims: [0.5, 0.25, 2],
      gzip: true,
    });

  it('takes volumes and label values, spacing kept, a volume in one split', async () => {
    const [from, to] = [folder(), folder()];
    for (const n of [1, 2, 3]) {
      await put(
        from,
        `imagesTr/case_${n}_0000.nii.gz`,
        volume((x, y, z) => noise(x + 12 * y + 96 * z, n)),
      );
      const label = (x: number, y: number, z: number) => (z === 0 || y > 4 ? 0 : x < 4 ? 1 : x > 6 ? 2 : 0);
      await put(from, `labelsTr/case_${n}.nii.gz`, volume(label));
    }
    const report = await importDataset({ dataset: 'nifti', from, to, prompts: ['gland', 'cyst'] });
    expect([report.counts.train, report.counts.val, report.counts.test]).toEqual(Array(3).fill({ rows: 4, images: 3, files: 3 }));
    const objects = await objectsBySource(to);
    expect(objects['imagesTr/case_2_0000.nii.gz#1']).toEqual([
      ['cyst', 7, 0, 5, 5],
      ['gland', 0, 0, 4, 5],
    ]);
    expect(objects['imagesTr/case_2_0000.nii.gz#0']).toEqual([]);
    const text = await readFile(join(to, 'annotations', 'val.json'), 'utf8');
    expect(JSON.parse(text).images[0].pixel_spacing_mm).toEqual([0.5, 0.25]);
    const { image } = await (await CocoDataset.open(to, 'val')).load(2);
    expect([image.width, image.height]).toEqual([12, 8]);
  });
});
