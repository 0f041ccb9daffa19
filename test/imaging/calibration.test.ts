import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type BinaryMask, type Calibration, DicomFile, decodeImage, encodePng, scaleAt } from '../../src/imaging/index.js';
import { type DicomParts, dicom } from '../support/dicom.js';
import { nifti } from '../support/nifti.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { pixelMeasures, pixelSpacing, type RegionParts, regionsOf } from '../support/ultrasound-region.js';

const dir = temporaryFolder('calibration');
const [W, H] = [40, 30];
const FRAME = new Uint8Array(W * H);

const fileOf = (more: DicomParts['more'], frames = 1) =>
  DicomFile.parse(
    dicom({ width: W, height: H, frames: Array.from({ length: frames }, () => FRAME), ...(more && { more }) }),
    'x.dcm',
  );
const imageOf = async (more: DicomParts['more']) => (await fileOf(more)).image(0);

/** A filled box in pixel edges. */
function box(x0: number, y0: number, x1: number, y1: number): BinaryMask {
  const data = new Uint8Array(W * H);
  for (let y = y0; y < y1; y++) data.fill(1, y * W + x0, y * W + x1);
  return { width: W, height: H, data };
}

/** The scale that an image with these regions has at a mask. */
async function scaleIn(regions: readonly RegionParts[], mask: BinaryMask, more: DicomParts['more'] = {}) {
  return scaleAt(mask, (await imageOf({ ...regionsOf(...regions), ...more })).calibration);
}

const LEFT: RegionParts = { box: [0, 2, 19, 29], delta: [0.01, 0.02] };
const RIGHT: RegionParts = { box: [20, 2, 39, 29], delta: [0.01, 0.02] };

describe('the regions of a DICOM file', () => {
  it('give the scale of the region that the mask lies in, across and down, from centimetres', async () => {
    const regions = [LEFT, { ...RIGHT, delta: [0.05, 0.04] }] as const;
    expect(await scaleIn(regions, box(2, 4, 10, 12))).toEqual({
      spacingMm: [0.1, 0.2],
      source: 'SequenceOfUltrasoundRegions, region 1',
      surfaceYPx: 2,
      surfaceStated: false,
    });
    expect(await scaleIn(regions, box(22, 4, 38, 28))).toMatchObject({ spacingMm: [0.5, 0.4] });
    // No single pair of numbers holds for the image.
    expect((await imageOf(regionsOf(...regions))).spacingMm).toBeUndefined();
    expect((await imageOf(regionsOf(LEFT, RIGHT))).spacingMm).toEqual([0.1, 0.2]);
  });

  it('give none to a mask across two scans, though both have one scale', async () => {
    expect(await scaleIn([LEFT, RIGHT], box(15, 4, 25, 12))).toEqual({ reason: 'the mask lies across region 1 and region 2' });
  });

  it('give none to a mask outside of them, and let a pixel of its edge be outside', async () => {
    const regions = [{ ...LEFT, box: [10, 10, 29, 29] }] as const;
    expect(await scaleIn(regions, box(0, 0, 8, 8))).toEqual({ reason: 'the mask lies outside of the scan regions' });
    expect(await scaleIn(regions, box(10, 5, 20, 15))).toEqual({ reason: '50 % of the mask lie outside of region 1' });
    const leaking = box(10, 10, 30, 20);
    leaking.data[9 * W + 12] = 1;
    expect(await scaleIn(regions, leaking)).toMatchObject({ spacingMm: [0.1, 0.2] });
  });

  it('give none in a spectrum or M-mode, and say what its axes are', async () => {
    const spectrum = { box: [0, 0, 39, 29], format: 3, units: [4, 5], delta: [0.01, 20] } as const;
    expect(await scaleIn([spectrum], box(2, 4, 10, 12))).toEqual({
      reason: 'region 1 (spectrum): its axes are in seconds and hertz, not in centimetres',
    });
    const motion = { box: [0, 0, 39, 29], format: 2, units: [4, 3], delta: [0.01, 0.02] } as const;
    expect(await scaleIn([motion], box(2, 4, 10, 12))).toEqual({
      reason: 'region 1 (M-mode): its axes are in seconds and centimetres, not in centimetres',
    });
    const graphics = { box: [0, 0, 39, 29], format: 5, delta: [0.01, 0.02] } as const;
    expect(await scaleIn([graphics], box(2, 4, 10, 12))).toMatchObject({ reason: expect.stringContaining('graphics') });
  });

  it.each([
    [[0, 0.02], 'its pixels measure 0 x 0.02 cm, which is no size'],
    [[0.01, -0.02], 'its pixels measure 0.01 x -0.02 cm, which is no size'],
    [[Number.NaN, 0.02], 'its pixels measure NaN x 0.02 cm, which is no size'],
  ] as const)('give none where a pixel measures %j', async (delta, reason) => {
    expect(await scaleIn([{ box: [0, 0, 39, 29], delta }], box(2, 4, 10, 12))).toEqual({ reason: `region 1: ${reason}` });
  });

  it('give none where they reach out of an image, which was resized then', async () => {
    const scale = await scaleIn([{ box: [0, 0, 79, 59], delta: [0.01, 0.02] }], box(2, 4, 10, 12));
    expect(scale).toMatchObject({
      reason: expect.stringContaining('reaches to 79, 59 in an image of 40x30 pixels: the image was resized'),
    });
    // Some scanners write the first column outside.
    expect(await scaleIn([{ box: [0, 0, 40, 30], delta: [0.01, 0.02] }], box(2, 4, 10, 12))).toMatchObject({
      spacingMm: [0.1, 0.2],
    });
  });

  it('take a colour box of the same scale for a part of its image, and one of another scale not', async () => {
    const around = { box: [0, 0, 39, 29], delta: [0.01, 0.01] } as const;
    const colour = { box: [10, 10, 19, 19], dataType: 2, delta: [0.01, 0.01] } as const;
    expect(await scaleIn([around, colour], box(5, 5, 15, 15))).toMatchObject({ source: expect.stringMatching(/region 1$/) });
    expect(await scaleIn([around, { ...colour, delta: [0.03, 0.03] }], box(5, 5, 15, 15))).toEqual({
      reason: 'the mask lies in region 1 and in region 2, whose scales differ',
    });
    // Wholly inside of the box, whose pixels have priority.
    const zoomed = { ...colour, delta: [0.03, 0.03], flags: 1 } as const;
    expect(await scaleIn([around, zoomed], box(11, 11, 15, 15))).toMatchObject({ spacingMm: [0.3, 0.3] });
  });

  it('say where depth is 0: at the reference pixel, counted from the corner of the region', async () => {
    const regions = [{ box: [4, 6, 39, 29], delta: [0.01, 0.02], reference: [3, 0.04] }] as const;
    // Row 9 is at 0.4 mm, so two rows of 0.2 mm higher depth is 0.
    expect(await scaleIn(regions, box(6, 14, 12, 20))).toMatchObject({ surfaceYPx: 6 + 3 + 0.5 - 2, surfaceStated: true });
  });
});

describe('PixelSpacing', () => {
  it('is the scale of a file without regions, rows first', async () => {
    const image = await imageOf(pixelSpacing(0.25, 0.5));
    expect(image.spacingMm).toEqual([0.5, 0.25]);
    expect(scaleAt(box(0, 0, 9, 9), image.calibration)).toEqual({ spacingMm: [0.5, 0.25], source: 'PixelSpacing' });
  });

  it('that contradicts a region leaves the image without a scale', async () => {
    const contradictory = await imageOf({ ...regionsOf(LEFT), ...pixelSpacing(0.25, 0.5) });
    expect(contradictory.spacingMm).toBeUndefined();
    expect(scaleAt(box(2, 4, 9, 9), contradictory.calibration)).toEqual({
      reason: 'region 1 says 0.1 x 0.2 mm a pixel, PixelSpacing says 0.5 x 0.25',
    });
    expect((await imageOf({ ...regionsOf(LEFT), ...pixelSpacing(0.2001, 0.1) })).spacingMm).toEqual([0.1, 0.2]);
  });

  it.each([
    ['0', '0.5'],
    ['-0.25', '0.5'],
    ['0.25', ''],
  ])('of %s and %s is no size', async (down, across) => {
    const { calibration, spacingMm } = await imageOf(pixelSpacing(down, across));
    expect(spacingMm).toBeUndefined();
    expect(scaleAt(box(2, 4, 9, 9), calibration)).toMatchObject({ reason: expect.stringContaining('no size of a pixel') });
  });

  it('of scanned film or of a detector is not one of tissue', async () => {
    for (const [tag, name] of [
      ['00182010', 'NominalScannedPixelSpacing'],
      ['00181164', 'ImagerPixelSpacing'],
    ] as const) {
      const { calibration, spacingMm } = await imageOf({ [tag]: { vr: 'DS', Value: ['0.2', '0.2'] } });
      expect(spacingMm).toBeUndefined();
      expect(scaleAt(box(2, 4, 9, 9), calibration)).toEqual({
        reason: `the file has ${name} alone, which is not measured in the tissue`,
      });
    }
  });

  it('is that of each frame in an enhanced multi-frame file, else the shared one', async () => {
    const groups = {
      '52009229': { vr: 'SQ', Value: [pixelMeasures(0.1, 0.1)] },
      '52009230': { vr: 'SQ', Value: [pixelMeasures(0.3, 0.2), {}, pixelMeasures(0.5, 0.4)] },
    };
    const file = await fileOf(groups, 3);
    const spacings = await Promise.all([0, 1, 2].map(async (i) => (await file.image(i)).spacingMm));
    expect(spacings).toEqual([
      [0.2, 0.3],
      [0.1, 0.1],
      [0.4, 0.5],
    ]);
  });
});

describe('other files', () => {
  it('have the voxel size of NIfTI, unless it is absent or a placeholder', async () => {
    const scaleOf = async (pixdims: readonly number[], units: number) => {
      const file = join(dir, 'volume.nii');
      await writeFile(file, nifti({ dims: [W, H, 2], values: Array.from({ length: W * H * 2 }, () => 0), pixdims, units }));
      return scaleAt(box(0, 0, 9, 9), (await decodeImage(`${file}#0`)).calibration);
    };
    expect(await scaleOf([0.5, 0.25, 1], 2)).toEqual({ spacingMm: [0.5, 0.25], source: 'NIfTI pixdim' });
    expect(await scaleOf([1, 1, 1], 2)).toMatchObject({ spacingMm: [1, 1] });
    expect(await scaleOf([0.5, 0.25, 1], 0)).toEqual({
      spacingMm: [0.5, 0.25],
      source: 'NIfTI pixdim without a unit, taken as millimetres',
    });
    expect(await scaleOf([1, 1, 1], 0)).toMatchObject({ reason: expect.stringContaining('placeholder') });
    expect(await scaleOf([0, 0.25, 1], 2)).toEqual({ reason: 'the NIfTI header gives no size of a voxel' });
  });

  it('have no scale, and the reason', async () => {
    const file = join(dir, 'scan.png');
    await writeFile(file, await encodePng({ width: W, height: H, data: new Uint8Array(W * H * 3) }));
    const { calibration } = await decodeImage(file);
    const none: Calibration | undefined = calibration;
    expect(scaleAt(box(0, 0, 9, 9), none)).toEqual({ reason: 'the file does not say how large a pixel is' });
    expect(scaleAt(box(0, 0, 9, 9), (await imageOf({})).calibration)).toHaveProperty('reason');
  });
});
