import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { openNifti } from '../../src/imaging/index.js';
import { DataError, Rng } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { type NiftiParts, nifti } from '../support/nifti.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('nifti');

async function write(name: string, content: Buffer): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, content);
  return file;
}
const volumeOf = async (parts: NiftiParts, name = 'volume.nii') => openNifti(await write(name, nifti(parts)));

/** 2 columns, 3 rows, 4 planes; a voxel's number tells its place: 100 z + 10 y + x. */
const DIMS = [2, 3, 4];
const PLACES = [0, 1, 2, 3].flatMap((z) => [0, 1, 2].flatMap((y) => [0, 1].map((x) => 100 * z + 10 * y + x)));

describe('openNifti', () => {
  const kinds = [4, 8, 16, 64, 512, 768, 1024] as const;
  const cases = ([1, 2] as const).flatMap((version) =>
    (['little', 'big'] as const).flatMap((endian) => kinds.map((datatype) => ({ version, endian, datatype }))),
  );

  it.each(cases)('reads NIfTI-$version, $endian-endian, data type $datatype', async (how) => {
    for (const gzip of [false, true]) {
      const volume = await volumeOf({ dims: DIMS, values: PLACES, gzip, ...how });
      expect(volume.header.shape).toEqual([2, 3, 4]);
      expect([...volume.slice({ index: 2 }).values]).toEqual([200, 201, 210, 211, 220, 221]);
    }
  });

  it('cuts planes across each axis', async () => {
    const volume = await volumeOf({ dims: DIMS, values: PLACES, datatype: 4, pixdims: [0.1, 0.2, 0.3] });
    const across0 = volume.slice({ axis: 0, index: 1 });
    expect([across0.width, across0.height]).toEqual([3, 4]);
    expect([...across0.values]).toEqual([1, 11, 21, 101, 111, 121, 201, 211, 221, 301, 311, 321]);
    expect(across0.spacingMm[0]).toBeCloseTo(0.2);
    expect(across0.spacingMm[1]).toBeCloseTo(0.3);
    const across1 = volume.slice({ axis: 1, index: 2 });
    expect([across1.width, across1.height]).toEqual([2, 4]);
    expect([...across1.values]).toEqual([20, 21, 120, 121, 220, 221, 320, 321]);
    expect([0, 1, 2].map((axis) => volume.slices(axis as 0 | 1 | 2))).toEqual([2, 3, 4]);
  });

  it('applies slope and intercept, and takes slope 0 for none', async () => {
    const scaled = await volumeOf({ dims: DIMS, values: PLACES, datatype: 4, slope: 0.5, intercept: -3 });
    expect([...scaled.slice({ index: 0 }).values]).toEqual([-3, -2.5, 2, 2.5, 7, 7.5]);
    const plain = await volumeOf({ dims: DIMS, values: PLACES, datatype: 4, slope: 0, intercept: 7 });
    expect([...plain.slice({ index: 0 }).values]).toEqual([0, 1, 10, 11, 20, 21]);
  });

  it('reads a fourth dimension as frames', async () => {
    const volume = await volumeOf({ dims: [2, 1, 2, 3], values: Array.from({ length: 12 }, (_, i) => i) });
    expect(volume.header.frames).toBe(3);
    expect([...volume.slice({ index: 1, frame: 2 }).values]).toEqual([10, 11]);
  });

  it('reads two-dimensional files and colours', async () => {
    const flat = await volumeOf({ dims: [3, 2], values: [1, 2, 3, 4, 5, 6] });
    expect([...flat.slice({ index: 0 }).values]).toEqual([1, 2, 3, 4, 5, 6]);
    const rgb = await volumeOf({ dims: [2, 1, 1], values: [10, 20, 30, 40, 50, 60], datatype: 128 });
    expect(rgb.image({ index: 0 })).toEqual({ width: 2, height: 1, data: Uint8Array.from([10, 20, 30, 40, 50, 60]) });
    const rgba = await volumeOf({ dims: [2, 1, 1], values: [10, 20, 30, 9, 40, 50, 60, 9], datatype: 2304 });
    expect([...rgba.image({ index: 0 }).data]).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('says where the axes point', async () => {
    const of = async (parts: Partial<NiftiParts>) =>
      (await volumeOf({ dims: DIMS, values: PLACES, ...parts })).header.orientation;
    const sform = [
      [-0.5, 0, 0, 1],
      [0, 0, 2, 1],
      [0, -1, 0, 1],
    ];
    expect(await of({ sform })).toBe('LIA');
    expect(await of({ sform, version: 2 })).toBe('LIA');
    expect(await of({ qform: [0, 0, 0] })).toBe('RAS');
    // Half a turn about the third axis.
    expect(await of({ qform: [0, 0, 1] })).toBe('LPS');
    expect(await of({ qform: [0, 0, 1], version: 2 })).toBe('LPS');
    expect(await of({})).toBe('???');
  });

  it.each([
    [1, 125],
    [2, 0.125],
    [3, 0.000125],
  ])('has the spacing in millimetres (unit %d)', async (units, expected) => {
    const volume = await volumeOf({ dims: DIMS, values: PLACES, pixdims: [0.125, 0.125, 0.125], units });
    expect(volume.header.spacingMm[0]).toBeCloseTo(expected, 9);
  });

  it('makes images: bytes and labels as they are, other numbers spread over the volume', async () => {
    const labels = await volumeOf({ dims: [2, 1, 2], values: [0, 1, 2, 3], datatype: 4 });
    expect([...labels.image({ index: 1 }).data]).toEqual([2, 2, 2, 3, 3, 3]);
    const deep = await volumeOf({ dims: [2, 1, 2], values: [-100, 0, 100, 300], datatype: 4 });
    expect([...deep.image({ index: 0 }).data]).toEqual([0, 0, 0, 64, 64, 64]);
    expect([...deep.image({ index: 1 }).data]).toEqual([128, 128, 128, 255, 255, 255]);
    const holed = await volumeOf({ dims: [2, 1, 1], values: [Number.NaN, 0.5], datatype: 16 });
    expect([...holed.image({ index: 0 }).data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  const whole = nifti({ dims: DIMS, values: PLACES, datatype: 4 });
  const rng = Rng.seeded(3);
  const noise = Array.from({ length: 64 * 64 }, () => rng.int(256));
  const crooked = gzipSync(whole);
  crooked[crooked.length - 8] = (crooked.at(-8) as number) ^ 1;
  it.each([
    ['missing.nii', undefined, /missing\.nii: there is no such file/],
    ['text.nii', Buffer.from('not a volume'), /text\.nii: it does not begin as NIfTI-1 or NIfTI-2 does/],
    ['short.nii', whole.subarray(0, 380), /short\.nii: it ends after 28 of the 48 bytes of its voxels/],
    [
      'cut.nii.gz',
      gzipSync(nifti({ dims: [64, 64, 1], values: noise })).subarray(0, 2000),
      /cut\.nii\.gz: its gzip stream is damaged or cut off/,
    ],
    ['crooked.nii.gz', crooked, /crooked\.nii\.gz: its gzip stream is damaged/],
    ['text.nii.gz', gzipSync('not a volume'), /text\.nii\.gz: it does not begin as NIfTI/],
    ['pair.hdr', nifti({ dims: DIMS, values: PLACES, magic: 'ni1' }), /pair\.hdr: it holds the header alone/],
    ['huge.nii', nifti({ dims: [32000, 32000, 32000], values: [] }), /huge\.nii: its header says 32000 x 32000 x 32000 voxels/],
    ['none.nii', nifti({ dims: [2, 0, 2], values: [] }), /none\.nii: its header says dimensions/],
    [
      'odd.nii',
      Buffer.concat([whole.subarray(0, 70), Buffer.from([32, 0]), whole.subarray(72)]),
      /odd\.nii: its numbers are of kind 32/,
    ],
  ])('refuses %s', async (name, content, message) => {
    const file = content === undefined ? join(dir, name) : await write(name, content);
    await expect(openNifti(file)).rejects.toThrow(message);
    await expect(openNifti(file)).rejects.toThrow(DataError);
  });

  it('unpacks no more than the header says', async () => {
    const bomb = gzipSync(Buffer.concat([nifti({ dims: [2, 1, 1], values: [5, 6] }), Buffer.alloc(5e7)]));
    const volume = await openNifti(await write('bomb.nii.gz', bomb));
    expect([...volume.slice({ index: 0 }).values]).toEqual([5, 6]);
  });

  it('names the planes there are', async () => {
    const volume = await volumeOf({ dims: DIMS, values: PLACES, datatype: 4 });
    expectError(() => volume.slice({ index: 4 }), {
      code: 'E_FRAME_NOT_FOUND',
      where: 'volume.nii',
      what: 'there is no slice 4 across axis 2',
      fix: 'They are numbered 0 to 3',
    });
    expectError(() => volume.slice({ index: 0, frame: 1 }), {
      code: 'E_FRAME_NOT_FOUND',
      what: 'there is no frame 1',
      fix: 'There is one, number 0',
    });
  });
});
