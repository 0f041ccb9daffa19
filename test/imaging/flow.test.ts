import { describe, expect, it } from '@jest/globals';
import { isFlow } from '../../src/imaging/burnt-in/flow.js';
import type { RasterImage } from '../../src/imaging/index.js';

const [width, height] = [40, 20];
const all = { x0: 0, y0: 0, x1: width - 1, y1: height - 1 };

function image(colour: (x: number, y: number) => readonly [number, number, number]): RasterImage {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set(colour(i % width, Math.floor(i / width)), 3 * i);
  return { width, height, data };
}

/** The map of power Doppler, from red to yellow, over dim grey tissue. */
const flow = (x: number, y: number): readonly [number, number, number] =>
  (x + y) % 3 === 0 ? [70, 70, 70] : [230, Math.round((230 * x) / width), 0];

describe('isFlow', () => {
  it('knows Doppler by its many colours', () => {
    expect(isFlow(image(flow), all)).toBe(true);
  });

  it('takes letters of one colour, and white letters on flow, for letters', () => {
    const letter = (x: number) => x % 4 < 2;
    expect(
      isFlow(
        image((x) => (letter(x) ? [240, 220, 0] : [0, 0, 0])),
        all,
      ),
    ).toBe(false);
    expect(
      isFlow(
        image((x, y) => (letter(x) && y > 10 ? [250, 250, 250] : flow(x, y))),
        all,
      ),
    ).toBe(false);
    expect(
      isFlow(
        image(() => [200, 200, 200]),
        all,
      ),
    ).toBe(false);
    expect(
      isFlow(
        image(() => [0, 0, 0]),
        all,
      ),
    ).toBe(false);
  });
});
