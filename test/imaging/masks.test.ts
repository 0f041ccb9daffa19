import { describe, expect, it } from '@jest/globals';
import {
  type BinaryMask,
  decodeRle,
  findContours,
  maskLogitsToBinary,
  maskToBooleans,
  maskToPolygons,
  maskToRle,
  paddedMaskLogitsToBinary,
  polygonsToMask,
} from '../../src/imaging/index.js';
import { placeLabels } from '../../src/imaging/label-layout.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const drawn = (rows: string[]): BinaryMask => ({
  width: (rows[0] as string).length,
  height: rows.length,
  data: Uint8Array.from(rows.join(''), (c) => Number(c === '#')),
});

const noisy = (width: number, height: number, share: number, seed: number): BinaryMask => {
  const rng = Rng.seeded(seed);
  return { width, height, data: Uint8Array.from({ length: width * height }, () => Number(rng.chance(share))) };
};

const SHAPES: [string, BinaryMask][] = [
  ['nothing', drawn(['...', '...'])],
  ['everything', drawn(['###', '###'])],
  ['one pixel in a corner', drawn(['..', '.#'])],
  ['a ring', drawn(['#####', '#...#', '#.#.#', '#...#', '#####'])],
  ['two holes', drawn(['.#####', '##.#.#', '.#####'])],
  ['pixels that touch at corners', drawn(['#.#', '.#.', '#.#'])],
  ['a hole that touches the outside at a corner', drawn(['####', '#.##', '##.#', '###.'])],
  ['two holes that touch at a corner', drawn(['####', '#.##', '##.#', '####'])],
  ['noise', noisy(37, 23, 0.5, 1)],
  ['sparse noise', noisy(23, 41, 0.2, 2)],
  ['dense noise', noisy(40, 31, 0.8, 3)],
];

describe('contours', () => {
  it.each(SHAPES)('of %s reproduce the mask as polygons', (_name, mask) => {
    expect(polygonsToMask(maskToPolygons(mask), mask)).toEqual(mask);
  });

  it('are exact, clockwise outside and counter-clockwise around holes', () => {
    const [contour, inner] = findContours(drawn(['#####', '#...#', '#.#.#', '#...#', '#####']));
    expect(contour).toEqual({ outer: [5, 0, 5, 5, 0, 5, 0, 0], holes: [[1, 1, 1, 4, 4, 4, 4, 1]] });
    expect(inner).toEqual({ outer: [3, 2, 3, 3, 2, 3, 2, 2], holes: [] });
    expect(findContours(drawn(['...']))).toEqual([]);
  });

  it('go once around each part, and leave no step out', () => {
    const mask = noisy(60, 45, 0.55, 4);
    const rings = findContours(mask).flatMap(({ outer, holes }) => [outer, ...holes]);
    const length = rings.reduce((sum, ring) => {
      for (let i = 0; i < ring.length; i += 2)
        sum +=
          Math.abs((ring[(i + 2) % ring.length] as number) - (ring[i] as number)) +
          Math.abs((ring[(i + 3) % ring.length] as number) - (ring[i + 1] as number));
      return sum;
    }, 0);
    const at = (x: number, y: number) => (x < 0 || y < 0 || x >= 60 || y >= 45 ? 0 : mask.data[y * 60 + x]);
    let edges = 0;
    for (let y = 0; y <= 45; y++)
      for (let x = 0; x <= 60; x++) edges += Number(at(x, y) !== at(x - 1, y)) + Number(at(x, y) !== at(x, y - 1));
    expect(length).toBe(edges);
  });
});

describe('conversions', () => {
  it('give rows of yes and no', () => {
    expect(maskToBooleans(drawn(['#.', '.#', '##']))).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  it.each(SHAPES)('encode %s as COCO does', (_name, mask) => {
    const { size, counts } = maskToRle(mask);
    expect(size).toEqual([mask.height, mask.width]);
    expect(decodeRle(counts, mask.width, mask.height)).toEqual(mask);
  });
});

describe('mask logits on the grid of the image', () => {
  /** Where the reference itself is this near to the threshold, rounding decides. */
  const TIE = 1e-5;

  it('are what the reference makes of them, for SAM 2 and for SAM', async () => {
    const golden = await GoldenCase.read('mask-post-processing');
    const { data, shape } = golden.array('in.logits');
    const [, planes = 0, height = 0, width = 0] = shape;
    expect(golden.names('in.size.').length).toBeGreaterThan(1);
    for (const i of golden.names('in.size.')) {
      const [h = 0, w = 0] = [...golden.array(`in.size.${i}`).data].map(Number);
      const [ph = 0, pw = 0] = [...golden.array(`in.placed.${i}`).data].map(Number);
      const size = { width: w, height: h };
      for (let p = 0; p < planes; p++) {
        const own = { width, height, data: (data as Float32Array).slice(p * height * width, (p + 1) * height * width) };
        const ours = {
          sam2: maskLogitsToBinary(own, size),
          sam: paddedMaskLogitsToBinary(own, 64, { width: pw, height: ph }, size),
        };
        for (const [family, mask] of Object.entries(ours)) {
          const expected = (golden.array(`out.${family}.${i}`).data as Float32Array).slice(p * w * h, (p + 1) * w * h);
          const wrong = expected.filter((value, k) => Math.abs(value) > TIE && Number(value > 0) !== mask.data[k]);
          expect([family, i, mask.width, mask.height, wrong.length]).toEqual([family, i, w, h, 0]);
          expect(expected.filter((value) => Math.abs(value) <= TIE).length).toBeLessThan(expected.length / 100 + 1);
        }
      }
    }
  });
});

describe('labels', () => {
  const overlaps = (places: { x: number; y: number }[], width: number, height: number) =>
    places.flatMap((a, i) => places.slice(i + 1).filter((b) => Math.abs(a.x - b.x) < width && Math.abs(a.y - b.y) < height))
      .length;

  it('lie inside the canvas and not over each other', () => {
    const rng = Rng.seeded(9);
    const canvas = { width: 500, height: 400 };
    const requests = Array.from({ length: 30 }, () => {
      const [x, y] = [rng.uniform(-20, 490), rng.uniform(-20, 390)];
      return { width: 120, height: 20, box: [x, y, x + rng.uniform(5, 90), y + rng.uniform(5, 90)] as const };
    });
    const places = placeLabels(requests, canvas);
    expect(places.filter(({ x, y }) => x < 0 || y < 0 || x + 120 > 500 || y + 20 > 400)).toEqual([]);
    expect(overlaps(places, 120, 20)).toBe(0);
  });

  it('stand above their boxes where there is room', () => {
    expect(placeLabels([{ width: 50, height: 10, box: [20, 40, 80, 90] }], { width: 200, height: 200 })).toEqual([
      { x: 20, y: 30 },
    ]);
  });

  it('are placed also where there are more than fit', () => {
    const requests = Array.from({ length: 12 }, () => ({ width: 60, height: 30, box: [0, 0, 60, 60] as const }));
    const places = placeLabels(requests, { width: 60, height: 60 });
    expect(places.length).toBe(12);
    expect(places.filter(({ x, y }) => x !== 0 || y < 0 || y > 30)).toEqual([]);
  });
});
