import { describe, expect, it } from '@jest/globals';
import { type BinaryMask, resizeGreyMask } from '../../src/imaging/index.js';
import {
  averagePrecision,
  bestConstantMask,
  diceCoefficient,
  groupedBootstrapInterval,
  groupedBootstrapIntervals,
  type ImageBoxes,
  maskScores,
  mean,
  quantile,
} from '../../src/metrics/index.js';
import { Rng } from '../../src/util/index.js';

/** Ellipses and single pixels on an uneven grid. */
function randomMask(rng: Rng, width: number, height: number): BinaryMask {
  const data = new Uint8Array(width * height);
  const [cx, cy] = [rng.uniform(0, width), rng.uniform(0, height)];
  const [rx, ry] = [rng.uniform(1, width / 2), rng.uniform(1, height / 2)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1) data[y * width + x] = 1;
  for (let k = 0; k < 3; k++) data[rng.int(data.length)] = 1;
  return { width, height, data };
}

type Point = readonly [x: number, y: number];

function border({ width, height, data }: BinaryMask): Point[] {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  return Array.from(data, (_, i): Point => [i % width, Math.floor(i / width)]).filter(
    ([x, y]) => inside(x, y) && !(inside(x - 1, y) && inside(x + 1, y) && inside(x, y - 1) && inside(x, y + 1)),
  );
}

describe('figures computed at speed equal their definitions', () => {
  it.each([
    { x: 1, y: 1 },
    { x: 0.137, y: 0.291 },
  ])('measures every distance between two boundaries, with pixels of $x x $y', (spacing) => {
    const rng = Rng.seeded(11);
    for (let round = 0; round < 25; round++) {
      const [width, height] = [5 + rng.int(30), 5 + rng.int(30)];
      const [predicted, truth] = [randomMask(rng, width, height), randomMask(rng, width, height)];
      const distances = (from: Point[], to: Point[]) =>
        from.map(([x, y]) => Math.sqrt(Math.min(...to.map(([u, v]) => ((x - u) * spacing.x) ** 2 + ((y - v) * spacing.y) ** 2))));
      const [a, b] = [border(predicted), border(truth)];
      const [there, back] = [distances(a, b), distances(b, a)];
      const { hd95, nsd } = maskScores(predicted, truth, 2 * spacing.y, spacing);
      expect(hd95).toBe(Math.max(quantile(there, 0.95), quantile(back, 0.95)));
      expect(nsd).toBe([...there, ...back].filter((distance) => distance <= 2 * spacing.y).length / (a.length + b.length));
    }
  });

  it('draws the same samples for several values as for each alone', () => {
    const rng = Rng.seeded(3);
    const groups = Array.from({ length: 57 }, () => `patient ${rng.int(20)}`);
    const lists = [groups.map(() => rng.uniform()), groups.map(() => rng.int(2))];
    const options = { seed: 5, draws: 300 };
    expect(groupedBootstrapIntervals(lists, groups, options)).toEqual(
      lists.map((values) => groupedBootstrapInterval(values, groups, options)),
    );
    expect(groupedBootstrapIntervals([[]], [], options)).toEqual([{ low: Number.NaN, high: Number.NaN }]);
    expect(() => groupedBootstrapIntervals([[1]], ['a', 'b'], options)).toThrow('1 values have 2 groups');
  });

  it('rates each level of a constant mask by the mean Dice over the masks', () => {
    const rng = Rng.seeded(8);
    const masks = [
      ...Array.from({ length: 9 }, () => randomMask(rng, 17, 11)),
      { width: 17, height: 11, data: new Uint8Array(187) },
    ];
    const counts = Array.from({ length: 187 }, (_, i) => masks.reduce((sum, { data }) => sum + (data[i] as number), 0));
    const ks = [1, 3, 4.5, 7, 12];
    const rated = ks.map((k) => {
      const guess = { width: 17, height: 11, data: Uint8Array.from(counts, (count) => Number(count >= k)) };
      return { guess, score: mean(masks.map((mask) => diceCoefficient(guess, mask))) };
    });
    expect(bestConstantMask(masks, ks)).toEqual(rated.reduce((best, one) => (one.score > best.score ? one : best)));
  });

  it('ranks equal scores in the order of the images', () => {
    const box = [0, 0, 4, 4] as const;
    const hit: ImageBoxes = { predicted: [{ box, label: 'a', score: 0.5 }], truth: [{ box, label: 'a' }] };
    const miss: ImageBoxes = { predicted: [{ box: [8, 8, 9, 9], label: 'a', score: 0.5 }], truth: [] };
    expect(averagePrecision([hit, miss]).ap).toBe(1);
    expect(averagePrecision([miss, hit]).ap).toBe(0.5);
  });

  it('thresholds a mask of the image’s own size as averaging over each pixel would', () => {
    const rng = Rng.seeded(4);
    const data = Uint8Array.from({ length: 63 }, () => rng.int(256));
    const { data: same } = resizeGreyMask({ width: 9, height: 7, data }, { width: 9, height: 7 });
    expect(same).toEqual(Uint8Array.from(data, (value) => Number(value >= 127.5)));
    // Each pixel of the larger grid lies in one of the smaller.
    const twice = {
      width: 18,
      height: 14,
      data: Uint8Array.from({ length: 252 }, (_, i) => data[Math.floor(i / 36) * 9 + Math.floor((i % 18) / 2)] as number),
    };
    expect(resizeGreyMask(twice, { width: 9, height: 7 }).data).toEqual(same);
  });
});
