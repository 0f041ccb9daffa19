import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeImage, decodeMask, listImages, openNifti, readNiftiHeader } from '../../src/imaging/index.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { nifti } from '../support/nifti.js';
import { skippedName } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('files');

const NAMES = ['a.png', 'a.tif', 'a.dcm', 'a.nii', 'a.nii.gz', 'a'];

describe.each([
  ['a named pipe', async (file: string) => void execFileSync('mkfifo', [file])],
  ['a device without an end', (file: string) => symlink('/dev/zero', file)],
  ['a folder', (file: string) => mkdir(file)],
])('%s', (name, make) => {
  const missing = process.platform === 'win32' && name !== 'a folder' ? 'Windows has no such file' : undefined;
  (missing === undefined ? it : it.skip).each(NAMES)(skippedName(missing, 'called %s is no image'), async (own) => {
    const file = join(dir, own);
    await make(file);
    try {
      expect(await listImages(file)).toEqual([file]);
      for (const read of [decodeImage, decodeMask]) {
        await expectError(read(file), { code: 'E_FILE_KIND', class: DataError });
      }
    } finally {
      await rm(file, { recursive: true });
    }
  });
});

it('a file larger than a buffer is refused before it is read', async () => {
  const file = join(dir, 'large.png');
  await writeFile(file, '');
  // Without taking the space: a hole.
  await truncate(file, 3e9);
  await expectError(decodeImage(file), {
    code: 'E_FILE_TOO_LARGE',
    where: 'large.png',
    what: 'it has 3.0 GB',
    fix: 'Image files of up to 2.1 GB are read',
  });
});

describe('a volume whose header lies', () => {
  const volume = (dims: readonly number[], change: (bytes: Buffer) => void = () => {}, values = [1, 2, 3, 4]) => {
    const bytes = nifti({ dims, values });
    change(bytes);
    return bytes;
  };
  it.each([
    ['more voxels than bytes', 'a.nii', volume([1, 1, 32767, 32767]), /it ends after 4 of the 1073676289 bytes of its voxels/],
    [
      'more than gzip could compress into it',
      'b.nii.gz',
      gzipSync(volume([2000, 2000, 900])),
      /of the 3600000000 bytes of its voxels/,
    ],
    ['more than any memory', 'c.nii', volume([32767, 32767, 32767]), /its header says 32767 x 32767 x 32767 voxels/],
    ['a negative size', 'd.nii', volume([-2, 2, 1]), /its header says dimensions/],
    ['nine dimensions', 'e.nii', volume([2, 2], (bytes) => bytes.writeInt16LE(9, 40)), /its header says dimensions/],
    ['voxels beyond the end', 'f.nii', volume([2, 2], (bytes) => bytes.writeFloatLE(1e9, 108)), /it ends after 0 of the 4 bytes/],
    [
      'a negative voxel offset',
      'g.nii',
      volume([2, 2], (bytes) => bytes.writeFloatLE(Number.NaN, 108)),
      /voxels begin at byte NaN/,
    ],
    [
      'a bit width that contradicts its type',
      'h.nii',
      volume([2, 2], (bytes) => bytes.writeInt16LE(16, 72)),
      /16 bits a voxel and numbers of kind 2/,
    ],
  ])('is refused from its header alone: %s', async (_name, name, bytes, message) => {
    const file = join(dir, name);
    await writeFile(file, bytes);
    await expect(readNiftiHeader(file)).rejects.toThrow(message);
    await expect(openNifti(file)).rejects.toThrow(message);
    // Nor are its planes counted.
    expect(await listImages(file)).toEqual([file]);
  });

  it('is not listed where nobody could look at all that it holds', async () => {
    const file = join(dir, 'planes.nii.gz');
    await writeFile(file, gzipSync(volume([1, 1, 30000, 100], undefined, Array(3_000_000).fill(7))));
    expect(await listImages(file)).toEqual([file]);
    await expectError(decodeImage(file), { code: 'E_FRAME_AMBIGUOUS', what: 'it holds 3000000 slices' });
    expect((await decodeImage(`${file}#29999t99`)).data[0]).toBe(7);
  });

  it('unpacks no more than it says', async () => {
    const file = join(dir, 'tail.nii.gz');
    await writeFile(file, gzipSync(Buffer.concat([volume([2, 2]), Buffer.alloc(200_000_000)])));
    const before = process.memoryUsage().arrayBuffers;
    expect((await openNifti(file)).range().max).toBe(4);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });
});
