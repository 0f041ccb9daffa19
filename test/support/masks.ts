import fc from 'fast-check';
import type { BinaryMask } from '../../src/imaging/mask.js';

/** A mask of the rows of a drawing, `#` inside. */
export function drawnMask(...rows: readonly string[]): BinaryMask {
  return {
    width: rows[0]?.length ?? 0,
    height: rows.length,
    data: Uint8Array.from(rows.join(''), (sign) => Number(sign === '#')),
  };
}

/** Any mask up to a size: noise, and rectangles put on each other, of which some cut holes. */
export function anyMask(largest = 24): fc.Arbitrary<BinaryMask> {
  const side = fc.integer({ min: 1, max: largest });
  return fc.tuple(side, side).chain(([width, height]) => {
    const noise = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: width * height, maxLength: width * height });
    const rectangle = fc.tuple(fc.nat(width), fc.nat(width), fc.nat(height), fc.nat(height), fc.integer({ min: 0, max: 1 }));
    const rectangles = fc.array(rectangle, { maxLength: 6 }).map((list) => {
      const data = new Uint8Array(width * height);
      for (const [x0, x1, y0, y1, value] of list)
        for (let y = Math.min(y0, y1); y < Math.max(y0, y1); y++)
          data.fill(value, y * width + Math.min(x0, x1), y * width + Math.max(x0, x1));
      return data;
    });
    return fc
      .oneof(
        noise.map((values) => Uint8Array.from(values)),
        rectangles,
      )
      .map((data) => ({ width, height, data }));
  });
}
