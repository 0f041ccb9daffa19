import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { drawOverlay } from '../../src/imaging/index.js';
import { scaleBarOf } from '../../src/imaging/scale-bar.js';

const [width, height] = [600, 520];
const grey = { width, height, data: new Uint8Array(width * height * 3).fill(90) };

/** Lengths of the runs of white along a row or a column. */
async function whiteRuns(png: Buffer, along: 'x' | 'y', at: number): Promise<number[]> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const runs: number[] = [];
  let run = 0;
  const count = along === 'x' ? info.width : info.height;
  for (let k = 0; k <= count; k++) {
    const i = (along === 'x' ? at * info.width + k : k * info.width + at) * 3;
    if (k < count && data[i] === 255 && data[i + 1] === 255 && data[i + 2] === 255) run += 1;
    else if (run > 0) {
      runs.push(run);
      run = 0;
    }
  }
  return runs;
}

describe('a scale bar', () => {
  it('is the longest of 1, 2, 5, 10, … mm that takes a quarter of the width', () => {
    expect(scaleBarOf(600, [0.1, 0.1])).toEqual({ mm: 10, lengthPx: [100, 100] });
    expect(scaleBarOf(600, [0.2, 0.1]).mm).toBe(20);
    expect(scaleBarOf(600, [0.5, 0.1]).mm).toBe(50);
    expect(scaleBarOf(600, [0.004, 0.004])).toMatchObject({ mm: 0.5 });
    expect(scaleBarOf(600, [0.004, 0.004]).lengthPx[0]).toBeCloseTo(125, 9);
  });

  it('is as long on an overlay as it says, in both directions where pixels are not square', async () => {
    const png = await drawOverlay({ ...grey, spacingMm: [0.1, 0.2] }, []);
    // The baseline lies within the last rows, the upright within the first columns.
    const rows = await Promise.all(Array.from({ length: 20 }, (_, k) => whiteRuns(png, 'x', height - 20 + k)));
    expect(Math.max(...rows.flat())).toBe(100);
    const columns = await Promise.all(Array.from({ length: 20 }, (_, k) => whiteRuns(png, 'y', k)));
    expect(Math.max(...columns.flat())).toBe(50);
  });

  it('is absent where the size of a pixel is unknown', async () => {
    const png = await drawOverlay(grey, []);
    expect((await sharp(png).stats()).channels.map(({ max }) => max)).toEqual([90, 90, 90]);
  });

  it('goes with the axes of a mask, light on dark', async () => {
    const item = { phrase: 'cyst', score: 0.9, note: '30.0 × 10.0 mm', axesPx: [[[100, 200], [400, 200]]] } as const; // biome-ignore format: a line
    const png = await drawOverlay(grey, [item]);
    expect(Math.max(...(await whiteRuns(png, 'x', 200)))).toBeGreaterThanOrEqual(300);
    expect(Math.max(...(await whiteRuns(png, 'x', 210)), 0)).toBe(0);
  });
});
