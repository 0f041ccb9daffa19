import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PixelSizes, withGivenSpacing } from '../../src/measure/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('pixel-sizes');

async function table(...lines: string[]): Promise<string> {
  const file = join(dir, 'sizes.csv');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
const read = async (...lines: string[]) => PixelSizes.read(await table(...lines));

describe('a table of pixel sizes', () => {
  it("is read as HC18 has it: by file name, in its column's unit", async () => {
    const sizes = await read('filename,pixel size(mm),head circumference (mm)', '000_HC.png,0.069,44.3', '001_HC.png,0.09,56.8');
    expect(sizes.sizeOf('001_HC.png', 800)).toEqual([0.09, 0.09]);
    // Below a folder, as another format, in other letters.
    expect(sizes.sizeOf('scans/000_hc.jpg', 800)).toEqual([0.069, 0.069]);
    expect(sizes.sizeOf('002_HC.png', 800)).toBeUndefined();
  });

  it('converts units of length, and takes two columns for pixels that are not square', async () => {
    expect((await read('image;pixel_size_um', 'a.png;120')).sizeOf('a.png', 10)?.map((mm) => mm.toFixed(6))).toEqual([
      '0.120000',
      '0.120000',
    ]);
    const [across, down] = (await read('file_name,mm_per_pixel_x,cm_per_pixel_y', 'a.png,0.1,0.02')).sizeOf('a.png', 10) ?? [];
    expect([across, down?.toFixed(6)]).toEqual([0.1, '0.200000']);
  });

  it('keeps the scale right for an image that was resized', async () => {
    const sizes = await read('filename,pixel_size_mm,width', 'a.png,0.1,800');
    expect(sizes.sizeOf('a.png', 400)).toEqual([0.2, 0.2]);
    expect(sizes.sizeOf('a.png', 800)).toEqual([0.1, 0.1]);
  });

  it.each([
    [['filename,depth', 'a.png,3'], /its columns are filename, depth/],
    [['filename,pixel_size_kg', 'a.png,3'], /its columns are filename, pixel_size_kg/],
    [['filename,pixel_size_mm', 'a.png,0'], /"0" is no size of a pixel/],
    [['filename,pixel_size_mm', 'a.png,-0.1'], /no size of a pixel/],
    [['filename,pixel_size_mm', 'a.png,'], /no size of a pixel/],
    [['filename,pixel_size_mm', 'a.png,wide'], /"wide" is no size of a pixel/],
    [['filename,pixel_size_mm', ',0.1'], /it names no file/],
    [['filename,pixel_size_mm', 'a.png,0.1', 'a.png,0.2'], /a\.png has another size than in line 2/],
  ])('%j is refused, with its line', async (lines, what) => {
    await expectError(read(...lines), { code: 'E_TABLE_INVALID', where: /sizes\.csv/, what });
  });

  it('that is not there, or a folder, is a problem by name', async () => {
    await expectError(PixelSizes.read(join(dir, 'none.csv')), { code: 'E_FILE_NOT_FOUND', where: /none\.csv/ });
    await expectError(PixelSizes.read(dir), { code: 'E_FILE_KIND' });
  });

  it('calibrates images that have a line, and names those that have none', async () => {
    const sizes = await read('filename,pixel_size_mm', 'a.png,0.1');
    expect(sizes.calibrate(undefined, 'a.png', 10)).toEqual({ kind: 'image', spacingMm: [0.1, 0.1], source: 'sizes.csv' });
    expect(sizes.calibrate(undefined, 'b.png', 10)).toEqual({ kind: 'none', reason: 'sizes.csv has no line for this image' });
    const own = { kind: 'image', spacingMm: [0.3, 0.3], source: 'PixelSpacing' } as const;
    expect(sizes.calibrate(own, 'b.png', 10)).toBe(own);
  });
});

describe('a given size', () => {
  const own = { kind: 'image', spacingMm: [0.1, 0.2], source: 'PixelSpacing' } as const;

  it('agrees with what the file says, or leaves the image without a scale', () => {
    expect(withGivenSpacing(own, [0.1001, 0.2], '--mm-per-pixel')).toBe(own);
    expect(withGivenSpacing(own, [0.2, 0.1], '--mm-per-pixel')).toEqual({
      kind: 'none',
      reason: 'the file says 0.1 x 0.2 mm a pixel, --mm-per-pixel says 0.2 x 0.1',
    });
    expect(withGivenSpacing({ kind: 'none', reason: 'x' }, [0.2, 0.1], 'y')).toEqual({
      kind: 'image',
      spacingMm: [0.2, 0.1],
      source: 'y',
    });
  });

  it('makes no millimetres of a spectrum', () => {
    const region = {
      name: 'region 1 (spectrum)',
      boxXyxyPx: [0, 0, 9, 9],
      reason: 'its axes …',
      surfaceYPx: 0,
      surfaceStated: false,
      prior: false,
    } as const;
    const regions = { kind: 'regions', source: 'x', regions: [region] } as const;
    expect(withGivenSpacing(regions, [0.1, 0.1], '--mm-per-pixel')).toBe(regions);
  });
});
