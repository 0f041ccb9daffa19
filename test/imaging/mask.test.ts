import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type BinaryMask,
  boxOfMask,
  fitMask,
  maskArea,
  maskToBooleans,
  notLost,
  resizeGreyMask,
  resizeMask,
} from '../../src/imaging/mask.js';
import { unionOfMasks } from '../../src/imaging/union-of-masks.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { anyMask, drawnMask } from '../support/masks.js';
import { property } from '../support/properties.js';

/** Set pixels as pairs. */
const pixelsOf = ({ width, data }: BinaryMask) =>
  [...data].flatMap((value, i) => (value === 1 ? [[i % width, Math.floor(i / width)] as const] : []));

const grey = (mask: BinaryMask): BinaryMask => ({ ...mask, data: mask.data.map((value) => 255 * value) });

describe('any mask', () => {
  property('lies tightly in its box, and has the area of its pixels', anyMask(), (mask) => {
    const pixels = pixelsOf(mask);
    const [xs, ys] = [pixels.map(([x]) => x), pixels.map(([, y]) => y)];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
    expect(boxOfMask(mask)).toEqual(pixels.length === 0 ? undefined : box);
    expect(maskArea(mask)).toBe(pixels.length);
    expect(maskToBooleans(mask).flat()).toEqual([...mask.data].map((value) => value === 1));
    expect(maskToBooleans(mask).map((row) => row.length)).toEqual(new Array(mask.height).fill(mask.width));
  });

  const factor = fc.integer({ min: 1, max: 4 });
  property('comes back from a size that is a multiple of its own', fc.tuple(anyMask(12), factor, factor), ([mask, fx, fy]) => {
    const large = { width: mask.width * fx, height: mask.height * fy };
    const enlarged = resizeMask(mask, large);
    expect(maskArea(enlarged)).toBe(maskArea(mask) * fx * fy);
    expect(resizeMask(enlarged, mask)).toEqual(mask);
    expect(resizeGreyMask(grey(mask), large)).toEqual(enlarged);
    expect(resizeGreyMask(grey(enlarged), mask)).toEqual(mask);
    expect(fitMask(grey(mask), mask, 'm.png')).toEqual(mask);
  });

  const side = fc.integer({ min: 1, max: 9 });
  property('takes the pixel under each new centre', fc.tuple(anyMask(9), side, side), ([mask, width, height]) => {
    const resized = resizeMask(mask, { width, height });
    const expected = Array.from({ length: width * height }, (_, i) => {
      const x = Math.floor((((i % width) + 0.5) * mask.width) / width);
      const y = Math.floor(((Math.floor(i / width) + 0.5) * mask.height) / height);
      return mask.data[y * mask.width + x];
    });
    expect([resized.width, resized.height, ...resized.data]).toEqual([width, height, ...expected]);
  });
});

describe('a grey mask', () => {
  it('is inside where at least half of an area is bright', () => {
    const levels = (...data: number[]) => ({ width: data.length, height: 1, data: Uint8Array.from(data) });
    expect([...resizeGreyMask(levels(255, 0, 254, 0, 128, 127), { width: 3, height: 1 }).data]).toEqual([1, 0, 1]);
    // Thirds of 255 and 0 are shared out by area: 2/3 and 1/3.
    expect([...resizeGreyMask(levels(255, 0, 255), { width: 2, height: 1 }).data]).toEqual([1, 1]);
    expect([...resizeGreyMask(levels(0, 255, 0), { width: 2, height: 1 }).data]).toEqual([0, 0]);
  });

  it('of other proportions is refused beyond two in a hundred, either way', () => {
    const blank = (width: number, height: number) => ({ width, height, data: new Uint8Array(width * height) });
    expect(fitMask(blank(203, 200), { width: 200, height: 200 }, 'm.png')).toEqual(blank(200, 200));
    expectError(() => fitMask(blank(205, 200), { width: 200, height: 200 }, 'm.png'), {
      code: 'E_MASK_SIZE',
      class: DataError,
      where: 'm.png',
    });
    expectError(() => fitMask(blank(200, 205), { width: 200, height: 200 }, 'm.png'), {
      code: 'E_MASK_SIZE',
      where: 'm.png',
      what: 'the mask is 200x205, its image 200x200',
    });
  });

  it('that vanishes on the grid of its image is refused, and an empty one is not', () => {
    const dot = { width: 8, height: 8, data: Uint8Array.from({ length: 64 }, (_, i) => (i === 9 ? 128 : 0)) };
    expectError(() => notLost(drawnMask('..', '..'), dot, 'm.png'), {
      code: 'E_MASK_SIZE',
      where: 'm.png',
      what: "in 8x8 pixels and nothing in the image's 2x2",
    });
    const dark = { ...dot, data: dot.data.map((value) => Math.min(value, 127)) };
    expect(notLost(drawnMask('..', '..'), dark, 'm.png')).toEqual(drawnMask('..', '..'));
    expect(notLost(drawnMask('.#', '..'), dot, 'm.png')).toEqual(drawnMask('.#', '..'));
  });
});

describe('a union', () => {
  it('has the pixels of every mask, and leaves them as they are', () => {
    const masks = [drawnMask('#..', '...'), drawnMask('...', '..#'), drawnMask('#..', '.#.')];
    expect(unionOfMasks(masks)).toEqual(drawnMask('#..', '.##'));
    expect(masks[0]).toEqual(drawnMask('#..', '...'));
    expect(() => unionOfMasks([])).toThrow('unionOfMasks: no mask was given');
  });
});
