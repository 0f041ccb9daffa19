import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readMask } from '../../src/data/import/objects/read-mask.js';
import { importDataset } from '../../src/data/index.js';
import { MaskFolderMethod } from '../../src/eval/index.js';
import { replacedIdentity } from '../../src/evidence/index.js';
import { DicomSegmentation, decodeImage, decodeMask, unionOfMasks } from '../../src/imaging/index.js';
import { encodeBoth, objectsIn, SOURCES, STUDY, sourceFile } from '../support/evidence.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('evidence-read-back');
const SINGLE = SOURCES['a single frame'] as (typeof SOURCES)[string];
const CLIP = SOURCES['a cine clip of 30 frames'] as (typeof SOURCES)[string];

async function put(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(dir, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

describe('a segmentation read back', () => {
  for (const form of ['binary', 'labelmap'] as const)
    it(`has the masks of each frame bit by bit (${form})`, async () => {
      const { options, segmentation } = await encodeBoth(sourceFile(CLIP), form);
      const read = await DicomSegmentation.parse(segmentation.bytes, 'x.dcm');
      for (const frame of [0, 1, 29]) {
        const masks = await read?.masks(frame);
        const shown = options.objects.flatMap(({ frames }, k) =>
          frames.filter((one) => one.frame === frame).map(({ mask }) => ({ segment: k + 1, mask })),
        );
        expect(masks).toEqual(shown);
      }
    });

  it('is the mask of an image, all of its segments together', async () => {
    const { options, segmentation } = await encodeBoth(sourceFile(SINGLE));
    const mask = await decodeMask(await put('single.seg.dcm', segmentation.bytes));
    expect(mask).toEqual(unionOfMasks(options.objects.map(({ frames: [first] }) => (first as NonNullable<typeof first>).mask)));
  });

  it('is refused as an image, and without the frame of a clip', async () => {
    const path = await put('clip.seg.dcm', (await encodeBoth(sourceFile(CLIP))).segmentation.bytes);
    await expectError(decodeMask(path), { code: 'E_FRAME_AMBIGUOUS', where: 'clip.seg.dcm', what: '30' });
    await expectError(decodeImage(`${path}#0`), { code: 'E_IMAGE_NO_PIXELS', what: 'segmentation' });
  });

  it('has no numbers for pixels where segments overlap', async () => {
    const file = sourceFile(SINGLE);
    const { segmentation } = await encodeBoth(file, 'binary', undefined, await objectsIn(file, true));
    const read = await DicomSegmentation.parse(segmentation.bytes, 'x.dcm');
    await expectError(Promise.resolve(read?.levels(0)), { code: 'E_MASK_VALUE', what: /segments 1 and 2 overlap on frame 0/ });
    await expectError(encodeBoth(file, 'labelmap', undefined, await objectsIn(file, true)), {
      code: 'E_MASK_VALUE',
      where: 'source.dcm',
      what: /"thyroid nodule 1" and "thyroid nodule 2" overlap on frame 0/,
    });
  });

  it('is refused when it is cut off', async () => {
    const { segmentation } = await encodeBoth(sourceFile(CLIP));
    await expectError(DicomSegmentation.parse(segmentation.bytes.subarray(0, -4000), 'x.dcm'), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
    });
  });
});

describe('eval --predictions', () => {
  const sampleOf = async (file: string, phrases: readonly string[]) => ({
    id: 'image',
    dataset: 'own',
    file,
    image: await decodeImage(file),
    objects: [],
    phrases,
  });

  it('takes the segments that are called as a phrase, and the frame of a clip', async () => {
    const file = await put('clip/clip.dcm', sourceFile(CLIP));
    const { options, segmentation, report } = await encodeBoth(sourceFile(CLIP));
    await put('clip/predictions/clip.seg.dcm', segmentation.bytes);
    await put('clip/predictions/clip.sr.dcm', report.bytes);
    const method = await MaskFolderMethod.open(join(dir, 'clip', 'predictions'));
    const sample = await sampleOf(`${file}#7`, ['thyroid nodule', 'Σκιά']);
    const answer = await method.answer(sample, sample.phrases);
    // Shown on even frames alone.
    expect(answer.map(({ phrase }) => phrase)).toEqual(['thyroid nodule']);
    const masks = options.objects.slice(0, 2).map(({ frames }) => (frames[7] as (typeof frames)[number]).mask);
    expect(answer[0]?.mask).toEqual(unionOfMasks(masks));
  });

  it('refuses the segmentation of another image, unless identity was removed from it', async () => {
    const other = await put(
      'other/image.dcm',
      sourceFile({ ...SINGLE, more: { ...SINGLE.more, '00080018': { vr: 'UI', Value: ['1.2.826.7.99'] } } }),
    );
    const sample = await sampleOf(other, ['thyroid nodule']);
    const answerOf = async (bytes: Uint8Array) => {
      await put('other/predictions/image.seg.dcm', bytes);
      return (await MaskFolderMethod.open(join(dir, 'other', 'predictions'))).answer(sample, sample.phrases);
    };
    const { segmentation } = await encodeBoth(sourceFile(SINGLE));
    await expectError(answerOf(segmentation.bytes), {
      code: 'E_DICOM_REFERENCE',
      where: 'image.seg.dcm',
      what: /of the image 1\.2\.826\.7\.3, not of 1\.2\.826\.7\.99/,
    });
    const anonymous = await encodeBoth(sourceFile(SINGLE), 'binary', replacedIdentity());
    expect(await answerOf(anonymous.segmentation.bytes)).toHaveLength(1);
  });

  it('refuses a segmentation of other rows and columns', async () => {
    const { width, height } = { width: 30, height: 30 };
    const { dicom } = await import('../support/dicom.js');
    const small = await put('small/image.dcm', dicom({ width, height, frames: [new Uint8Array(width * height)], more: STUDY }));
    await put('small/predictions/image.seg.dcm', (await encodeBoth(sourceFile(SINGLE))).segmentation.bytes);
    const method = await MaskFolderMethod.open(join(dir, 'small', 'predictions'));
    const sample = await sampleOf(small, ['thyroid nodule']);
    await expectError(method.answer(sample, sample.phrases), { code: 'E_MASK_SIZE', what: /61x43 pixels, its image 30x30/ });
  });
});

describe('import-data', () => {
  // A stretched mask would fit, and lie beside what it shows.
  it.each(['folders', 'busuc'])('never stretches a segmentation of other rows and columns (%s)', async (dataset) => {
    const { dicom } = await import('../support/dicom.js');
    const [width, height] = [122, 86]; // twice as many: the same proportions
    const segmentation = (await encodeBoth(sourceFile(SINGLE))).segmentation.bytes;
    const file = await put(
      `stretch/${dataset}/image.dcm`,
      dicom({ width, height, frames: [new Uint8Array(width * height)], more: STUDY }),
    );
    const seg = await put(`stretch/${dataset}/image.seg.dcm`, segmentation);
    const source = { kind: 'file', file: seg, read: { as: 'bright', class: 'nodule' } } as const;
    const stretch = dataset === 'busuc';
    const options = { stretch, raw: false, over: file };
    const reason = { code: 'E_MASK_SIZE', where: 'image.seg.dcm', what: /61x43 pixels, its image 122x86/ } as const;
    await expectError(readMask(source, { width, height }, options), reason);
    await expectError(readMask(source, { width, height }, { ...options, raw: true }), reason);
    await expectError(readMask({ ...source, file: `${seg}#0` }, { width, height }, options), reason);
    expect(await readMask(source, { width: 61, height: 43 }, options)).toHaveLength(1);
  });

  it('names the segmentation of another size, and imports the rest', async () => {
    const { dicom } = await import('../support/dicom.js');
    const from = join(dir, 'sizes');
    const [width, height] = [122, 86];
    await put('sizes/images/large.dcm', dicom({ width, height, frames: [new Uint8Array(width * height)], more: STUDY }));
    await put('sizes/images/still.dcm', sourceFile(SINGLE));
    const segmentation = (await encodeBoth(sourceFile(SINGLE))).segmentation.bytes;
    for (const name of ['large', 'still']) await put(`sizes/masks/${name}.seg.dcm`, segmentation);
    const report = await importDataset({ dataset: 'folders', from, to: join(dir, 'sizes-to') });
    expect(report.problems).toHaveLength(1);
    expect(JSON.stringify(report.problems)).toMatch(/large\.seg\.dcm.*61x43 pixels, its image 122x86/);
    expect(Object.values(report.counts).reduce((sum, { images }) => sum + images, 0)).toBe(1);
  });

  it('imports images and clips with segmentations, whose segments name the classes', async () => {
    const from = join(dir, 'from');
    for (const [name, source] of [
      ['still', SINGLE],
      ['loop', CLIP],
    ] as const) {
      await put(`from/images/${name}.dcm`, sourceFile(source));
      await put(`from/masks/${name}.seg.dcm`, (await encodeBoth(sourceFile(source))).segmentation.bytes);
    }
    const report = await importDataset({ dataset: 'folders', from, to: join(dir, 'to') });
    expect(report.problems).toEqual([]);
    const images = Object.values(report.counts).reduce((sum, { images }) => sum + images, 0);
    expect(images).toBe(31);
    expect(Object.keys(report.phrases)).toEqual(['thyroid nodule', 'σκιά']);
  });
});
