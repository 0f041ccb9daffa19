import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BinaryMask } from '../../src/imaging/mask.js';
import { decodeRle, encodeRle, maskOfRuns, maskToRle, runsOf } from '../../src/imaging/rle.js';
import { anyMask, drawnMask } from '../support/masks.js';
import { property } from '../support/properties.js';

/** Values in COCO's order: down each column, columns from left to right. */
function columnMajor({ width, height, data }: BinaryMask): number[] {
  return Array.from({ length: width * height }, (_, i) => data[(i % height) * width + Math.floor(i / height)] as number);
}

/** As `toEqual`, which takes seconds for large masks. */
const isSame = (a: BinaryMask, b: BinaryMask) =>
  a.width === b.width && a.height === b.height && Buffer.compare(a.data, b.data) === 0;

/** Large masks of few runs, whose lengths need one to four digits. */
const longRuns = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.array(fc.nat(6_000), { minLength: 1, maxLength: 6 }))
  .map(([height, lengths]) => {
    const width = Math.max(1, Math.ceil(lengths.reduce((a, b) => a + b, 0) / height));
    const data = new Uint8Array(width * height);
    let at = 0;
    for (const [i, length] of lengths.entries()) {
      if (i % 2 === 1) for (let k = at; k < at + length; k++) data[(k % height) * width + Math.floor(k / height)] = 1;
      at += length;
    }
    return { width, height, data };
  });

describe('runs of a mask', () => {
  property('begin with zeros, alternate down the columns, and none but the first is empty', anyMask(), (mask) => {
    const runs = runsOf(mask);
    expect(runs.flatMap((length, i) => new Array<number>(length).fill(i % 2))).toEqual(columnMajor(mask));
    expect(runs.slice(1)).not.toContain(0);
  });

  property('give the mask back', anyMask(), (mask) => {
    expect(maskOfRuns(runsOf(mask), mask.width, mask.height)).toEqual(mask);
  });

  property(
    'are refused when they do not fill the mask',
    fc.tuple(anyMask(9), fc.nat(), fc.integer({ min: 1, max: 5 })),
    (drawn) => {
      const [mask, place, change] = drawn;
      const runs = runsOf(mask);
      const at = place % runs.length;
      for (const sign of [-1, 1]) {
        const wrong = runs.map((length, i) => (i === at ? length + sign * change : length));
        expect(() => maskOfRuns(wrong, mask.width, mask.height)).toThrow(RangeError);
      }
    },
  );

  it.each([
    ['negative', [3, -1, 4]],
    ['NaN', [3, Number.NaN, 3]],
  ])('are refused if a length is %s, whatever their sum', (_name, runs) => {
    expect(() => maskOfRuns(runs, 2, 3)).toThrow(/its runs hold .* pixels, a 2x3 mask has 6/);
  });
});

describe('compressed runs', () => {
  // By the published code: five bits a digit, from the least; runs from the fourth on as differences to the one two before.
  it.each<[string, BinaryMask, string]>([
    ['nothing', drawnMask('...', '...'), '6'],
    ['everything', drawnMask('###', '###'), '06'],
    ['a first pixel', drawnMask('#.', '..'), '013'],
    ['a negative difference', drawnMask('..##.#'), '221O'],
    ['two digits', { width: 20, height: 10, data: new Uint8Array(200) }, 'X6'],
  ])('of %s match COCO', (_name, mask, text) => {
    expect(encodeRle(mask)).toBe(text);
    expect(decodeRle(text, mask.width, mask.height)).toEqual(mask);
  });

  for (const [kind, masks, runs] of [
    ['small masks', anyMask(), 200],
    ['long runs', longRuns, 50],
  ] as const)
    property(
      `of ${kind} give the mask back, in COCO's record too`,
      masks,
      (mask) => {
        const text = encodeRle(mask);
        expect(text).toMatch(/^[0-o]+$/);
        expect(isSame(decodeRle(text, mask.width, mask.height), mask)).toBe(true);
        expect(maskToRle(mask)).toEqual({ size: [mask.height, mask.width], counts: text });
      },
      runs,
    );

  property(
    'of a foreign text are a whole mask or an error',
    fc.tuple(fc.string({ maxLength: 12 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
    ([text, width, height]) => {
      let mask: BinaryMask;
      try {
        mask = decodeRle(text, width, height);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return;
      }
      expect(mask.data).toHaveLength(width * height);
      // What was read says the same as what would be written.
      expect(decodeRle(encodeRle(mask), width, height)).toEqual(mask);
    },
    1000,
  );
});
