import { describe, expect, it } from '@jest/globals';
import {
  averagePrecision,
  type BoxCorners,
  bestConstantBox,
  bestConstantMask,
  boxIou,
  diceCoefficient,
  distanceTransform,
  hausdorff95,
  type MaskPixels,
  mean,
  populationStd,
  quantile,
} from '../../src/metrics/index.js';

function mask(...lines: string[]): MaskPixels {
  const data = Uint8Array.from(lines.join(''), (sign) => Number(sign === '#'));
  return { width: (lines[0] ?? '').length, height: lines.length, data };
}

describe('metrics at the edges', () => {
  it('refuses masks of another size', () => {
    expect(() => diceCoefficient(mask('#..', '..#'), mask('#.', '.#'))).toThrow('one is 3x2, the other 2x2');
    expect(() => hausdorff95(mask('##'), mask('#', '#'))).toThrow('one is 2x1, the other 1x2');
    expect(() => diceCoefficient(mask('##'), mask('##', '##'))).toThrow('one is 2x1, the other 2x2');
    expect(() => diceCoefficient({ width: 2, height: 2, data: [1] }, mask('##', '##'))).toThrow('as many values');
  });

  it('has no distance to an empty mask', () => {
    expect([...distanceTransform(mask('..', '..', '..'))]).toEqual(Array(6).fill(Number.POSITIVE_INFINITY));
  });

  it('measures one row and one column', () => {
    expect([...distanceTransform(mask('..#..#.'))]).toEqual([2, 1, 0, 1, 1, 0, 1]);
    expect([...distanceTransform(mask('.', '#', '.', '.'), { x: 9, y: 0.5 })]).toEqual([0.5, 0, 0.5, 1]);
  });

  it('measures in pixels unless a spacing is given', () => {
    const [a, b] = [mask('#...', '....', '....'), mask('....', '....', '...#')];
    expect(hausdorff95(a, b)).toBeCloseTo(Math.hypot(3, 2), 12);
    expect(hausdorff95(a, b, { x: 4, y: 0.5 })).toBeCloseTo(Math.hypot(12, 1), 12);
  });

  it('compares boxes', () => {
    expect(boxIou([0, 0, 4, 2], [2, 0, 6, 2])).toBeCloseTo(1 / 3, 12);
    expect(boxIou([0, 0, 1, 1], [1, 0, 2, 1])).toBe(0);
    expect(boxIou([1, 1, 1, 1], [1, 1, 1, 1])).toBe(0);
    expect(boxIou([3, 3, 1, 1], [0, 0, 4, 4])).toBe(0);
  });

  it('has no average precision without ground-truth boxes, and none left without predictions', () => {
    const box = [0, 0, 2, 2] as const;
    expect(averagePrecision([{ truth: [], predicted: [{ box, label: 'cyst', score: 1 }] }]).ap).toBeNaN();
    expect(averagePrecision([{ truth: [{ box, label: 'cyst' }], predicted: [] }]).ap).toBe(0);
    expect(averagePrecision([{ truth: [{ box, label: 'cyst' }], predicted: [{ box, label: 'cyst', score: 0.1 }] }]).ap).toBe(1);
  });

  it('matches a detection with the last of the ground-truth boxes that it covers equally, as COCO does', () => {
    const label = 'cyst';
    const truth = [
      { box: [0, 0, 10, 10], label },
      { box: [5, 0, 15, 10], label },
    ] as const;
    // The first answer lies between both; the second finds the first box alone.
    const predicted = [
      { box: [2.5, 0, 12.5, 10], label, score: 0.9 },
      { box: [0, 0, 10, 10], label, score: 0.8 },
    ] as const;
    expect(averagePrecision([{ truth, predicted }]).ap50).toBe(1);
  });

  it('counts an IoU of exactly a threshold as a hit', () => {
    const truth = [{ box: [0, 0, 20, 1], label: 'cyst' }] as const;
    // IoUs of 0.5, 0.55, …, 1 meet 1 to 10 of the ten thresholds.
    for (let width = 10; width <= 20; width++) {
      const predicted = [{ box: [0, 0, width, 1], label: 'cyst', score: 1 }] as const;
      expect(averagePrecision([{ truth, predicted }]).ap).toBeCloseTo(Math.min(width - 9, 10) / 10, 12);
    }
  });

  it('counts the 100 best boxes of a label in an image, whatever their order, and names labels by the alphabet', () => {
    const box = [0, 0, 2, 2] as const;
    const beside = (label: string, score: number) => ({ box: [5, 5, 7, 7] as const, label, score });
    const wrong = (label: string, count: number) => Array.from({ length: count }, (_, i) => beside(label, 1 + i));
    const predicted = [
      { box, label: 'node', score: 0.5 },
      ...wrong('node', 99),
      { box, label: 'cyst', score: 0.5 },
      ...wrong('cyst', 100),
    ];
    const truth = ['node', 'cyst'].map((label) => ({ box, label }));
    const { perLabel } = averagePrecision([{ truth, predicted }]);
    expect(Object.entries(perLabel)).toEqual([
      ['cyst', 0],
      ['node', expect.closeTo(0.01, 12)],
    ]);
    // Found after 99 wrong ones of the first image, and after 100 of each image.
    const twice = averagePrecision([
      { truth: [], predicted: wrong('node', 150) },
      { truth: truth.slice(0, 1), predicted },
    ]);
    expect(twice.ap).toBeCloseTo(1 / 200, 12);
  });

  it('has no mean of an empty list', () => {
    expect(mean([])).toBeNaN();
    expect(populationStd([])).toBeNaN();
    expect(populationStd([3])).toBe(0);
  });
});

describe('constant guesses', () => {
  it('keeps the pixels that enough masks share', () => {
    const masks = [mask('###..', '###..'), mask('##...', '###..'), mask('##..#', '##...')];
    const { guess, score } = bestConstantMask(masks);
    // At least two of three: '##...', '###..'. By hand: (10/11 + 1 + 8/10) / 3.
    expect([...(guess.data as Uint8Array)]).toEqual([...(mask('##...', '###..').data as Uint8Array)]);
    expect(score).toBeCloseTo((10 / 11 + 1 + 0.8) / 3, 12);
  });

  it('answers empty masks with an empty one', () => {
    expect(bestConstantMask([mask('..'), mask('..')]).score).toBe(1);
    expect(() => bestConstantMask([])).toThrow('no mask was given');
  });

  it('finds a box that beats each of the given ones', () => {
    const boxes = [
      [0, 0, 10, 10],
      [2, 1, 12, 11],
      [4, 0, 14, 10],
    ] as const;
    const { guess, score } = bestConstantBox(boxes);
    const single = Math.max(...boxes.map((box) => mean(boxes.map((other) => boxIou(box, other)))));
    expect(score).toBeGreaterThan(single);
    expect(score).toBeCloseTo(mean(boxes.map((box) => boxIou(guess, box))), 12);
    expect(bestConstantBox([[1, 2, 3, 5]])).toEqual({ guess: [1, 2, 3, 5], score: 1 });
  });

  it('has no box for no boxes', () => {
    expect(() => bestConstantBox([])).toThrow('no box was given');
  });

  const spread: BoxCorners[][] = [
    [
      [0, 1, 16, 13],
      [4, 1, 10, 16],
      [5, 7, 16, 20],
      [6, 0, 12, 13],
    ],
    // Needs several moves of a side by the same step.
    [
      [1, 5, 4, 9],
      [5, 4, 9, 16],
      [1, 1, 8, 16],
      [3, 3, 14, 15],
    ],
  ];

  it.each(spread)('moves the sides of a box from the best start until no step helps (boxes %#)', (...boxes) => {
    const judge = (guess: BoxCorners) => mean(boxes.map((box) => boxIou(guess, box)));
    const side = (pick: (values: number[]) => number) =>
      [0, 1, 2, 3].map((i) => pick(boxes.map((box) => box[i as 0]))) as unknown as BoxCorners;
    const starts = [...boxes, side(mean), side((values) => quantile(values, 0.5))].map(judge);
    const { guess, score } = bestConstantBox(boxes);
    expect(score).toBeGreaterThan(Math.max(...starts) + 0.005);
    // The smallest step is a hundredth of the mean side.
    const step = 0.01 * mean(boxes.map(([x0, y0, x1, y1]) => (x1 - x0 + y1 - y0) / 2));
    for (const i of [0, 1, 2, 3])
      for (const sign of [-1, 1])
        expect(
          judge(guess.map((value, k) => (k === i ? value + sign * step : value)) as unknown as BoxCorners),
        ).toBeLessThanOrEqual(score);
  });

  it('finds the same box wherever it lies, and in whatever unit', () => {
    const [, boxes = []] = spread;
    const { guess, score } = bestConstantBox(boxes);
    // From the worst start it would be 0.29, from the median 0.4455.
    expect(score).toBeCloseTo(0.4462, 4);
    const moved = (box: BoxCorners) => box.map((value) => 1000 + value / 4) as unknown as BoxCorners;
    const elsewhere = bestConstantBox(boxes.map(moved));
    expect(elsewhere.score).toBeCloseTo(score, 9);
    for (const [i, value] of moved(guess).entries()) expect(elsewhere.guess[i]).toBeCloseTo(value, 9);
  });
});
