import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BoxXyxy } from '../../src/imaging/mask.js';
import { boxIou, type Detection, type SelectOptions, selectDetections } from '../../src/processing/detections.js';
import { CheckpointError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { property } from '../support/properties.js';

const IMAGE = { width: 200, height: 100 };
const PHRASES = ['cyst', 'benign lesion', 'rib'] as const;
/** Tokens: a mark, `cyst`, a full stop, `benign`, `lesion`, a full stop, `rib`. */
const prompt = {
  text: 'cyst. benign lesion. rib.',
  inputIds: new Int32Array(7),
  phrases: [
    { phrase: PHRASES[0], tokens: [1] },
    { phrase: PHRASES[1], tokens: [3, 4] },
    { phrase: PHRASES[2], tokens: [6] },
  ],
};

interface Query {
  readonly phrase: number;
  readonly score: number;
  readonly box: BoxXyxy;
}

const logit = (p: number) => Math.log(p / (1 - p));

/** What a detector answers that sees these boxes, in pixels. */
function answersOf(queries: readonly Query[]) {
  const logits = queries.flatMap(({ phrase, score }) => {
    const row = new Array<number>(7).fill(-20);
    for (const token of prompt.phrases[phrase]?.tokens ?? []) row[token] = logit(score);
    return row;
  });
  const boxes = queries.flatMap(({ box: [x0, y0, x1, y1] }) => [
    (x0 + x1) / 2 / IMAGE.width,
    (y0 + y1) / 2 / IMAGE.height,
    (x1 - x0) / IMAGE.width,
    (y1 - y0) / IMAGE.height,
  ]);
  return { logits: Float32Array.from(logits), boxes: Float32Array.from(boxes) };
}

const select = (queries: readonly Query[], options: Partial<SelectOptions> = {}): Detection[] =>
  selectDetections(answersOf(queries), prompt, { threshold: 0.3, ...options }, IMAGE);

/** Two boxes of 80 x 40 pixels, the weaker moved so that their IoU is as given. */
function pair(iou: number, phrases: readonly [number, number] = [0, 0]): Query[] {
  const moved = (80 * (1 - iou)) / (1 + iou);
  return [
    { phrase: phrases[1], score: 0.6, box: [20 + moved, 10, 100 + moved, 50] },
    { phrase: phrases[0], score: 0.8, box: [20, 10, 100, 50] },
  ];
}

describe('suppression of overlapping boxes', () => {
  it.each([0.5, 0.3, 0.7])('drops the lower-scoring box above an IoU of %d, and not below', (nmsThreshold) => {
    expect(select(pair(nmsThreshold + 0.01), { nmsThreshold })).toHaveLength(1);
    expect(select(pair(nmsThreshold - 0.01), { nmsThreshold })).toHaveLength(2);
  });

  it('happens above 0.5 where nothing is said', () => {
    expect(select(pair(0.51)).map(({ score }) => Math.round(score * 10))).toEqual([8]);
    expect(select(pair(0.49))).toHaveLength(2);
  });

  it('keeps boxes that overlap by the threshold and no more', () => {
    // IoU 1/4 in binary fractions: no rounding.
    const queries: Query[] = [
      { phrase: 0, score: 0.8, box: [0, 0, 100, 50] },
      { phrase: 0, score: 0.6, box: [0, 0, 25, 50] },
    ];
    expect(select(queries, { nmsThreshold: 0.25 })).toHaveLength(2);
    expect(select(queries, { nmsThreshold: 0.2499 })).toHaveLength(1);
  });

  it('leaves boxes of other phrases alone', () => {
    expect(select(pair(0.95, [0, 2])).map(({ phrase }) => phrase)).toEqual(['cyst', 'rib']);
  });

  it('compares with what was kept, not with what was dropped', () => {
    const chain: Query[] = [0, 40, 80].map((x, i) => ({ phrase: 0, score: 0.9 - 0.1 * i, box: [x, 10, x + 120, 50] }));
    expect(select(chain, { nmsThreshold: 0.45 }).map(({ boxXyxyPx: [x0] }) => Math.round(x0))).toEqual([0, 80]);
  });
});

describe('selection', () => {
  const apart = (...scores: readonly number[]): Query[] =>
    scores.map((score, i) => ({ phrase: i % 3, score, box: [20 * i, 5, 20 * i + 15, 50] }));
  const scoresOf = (found: readonly Detection[]) => found.map(({ score }) => Math.round(score * 100) / 100);

  it('gives the best first', () => {
    expect(scoresOf(select(apart(0.5, 0.9, 0.4, 0.7)))).toEqual([0.9, 0.7, 0.5, 0.4]);
  });

  it('takes scores from the threshold on', () => {
    const certain = { logits: Float32Array.of(-20, 0, -20, -20, -20, -20, -20), boxes: Float32Array.of(0.5, 0.5, 0.2, 0.2) };
    const count = (threshold: number) => selectDetections(certain, prompt, { threshold }, IMAGE).length;
    expect([count(0.4999), count(0.5), count(0.5001)]).toEqual([1, 1, 0]);
  });

  it('stops at the number asked for, with the best', () => {
    expect(scoresOf(select(apart(0.5, 0.9, 0.4, 0.7), { maxDetections: 2 }))).toEqual([0.9, 0.7]);
    expect(select(apart(0.5), { maxDetections: 0 })).toEqual([]);
  });

  it('keeps the best of each phrase where one is asked for, wherever the others lie', () => {
    const found = select(apart(0.5, 0.6, 0.4, 0.7, 0.8), { select: 'best-per-phrase' });
    expect(found.map(({ phrase, score }) => [phrase, Math.round(score * 10)])).toEqual([
      ['benign lesion', 8],
      ['cyst', 7],
      ['rib', 4],
    ]);
  });

  it('keeps the best of the image alone where it is asked for, and not even that where none is wanted', () => {
    const found = select(apart(0.5, 0.6, 0.4, 0.7, 0.8), { select: 'best-per-image' });
    expect(found.map(({ phrase, score }) => [phrase, Math.round(score * 10)])).toEqual([['benign lesion', 8]]);
    expect(select(apart(0.5), { select: 'best-per-image', maxDetections: 0 })).toEqual([]);
  });

  it('scores a phrase by the mean probability of its tokens, and asks a query for its best phrase only', () => {
    const row = [9, logit(0.55), 9, logit(0.9), logit(0.3), 9, logit(0.1)];
    const answers = { logits: Float32Array.from(row), boxes: Float32Array.of(0.5, 0.5, 0.2, 0.2) };
    const [found, ...others] = selectDetections(answers, prompt, { threshold: 0.3 }, IMAGE);
    expect(others).toEqual([]);
    expect(found?.phrase).toBe('benign lesion');
    expect(found?.score).toBeCloseTo(0.6, 6);
  });
});

describe('boxes in pixels', () => {
  it('are cut off at each side of the image', () => {
    const [found] = select([{ phrase: 0, score: 0.9, box: [-30, -20, 230, 120] }]);
    expect(found?.boxXyxyPx).toEqual([0, 0, 200, 100]);
    const inside = select([{ phrase: 0, score: 0.9, box: [50, 25, 100, 75] }])[0]?.boxXyxyPx ?? [];
    expect(inside).toEqual([50, 25, 100, 75]);
  });

  it.each<[string, BoxXyxy]>([
    ['left of it', [-40, 10, -5, 50]],
    ['right of it', [210, 10, 250, 50]],
    ['above it', [10, -40, 50, -5]],
    ['below it', [10, 110, 50, 140]],
    ['without width', [50, 10, 50, 50]],
    ['without height', [10, 50, 50, 50]],
  ])('are dropped if they lie outside the image: %s', (_name, box) => {
    expect(select([{ phrase: 0, score: 0.9, box }])).toEqual([]);
  });
});

describe('answers that are not numbers', () => {
  it.each(['logits', 'boxes'] as const)('are refused in the %s of any query, however low the other scores', (part) => {
    const answers = answersOf(pair(0.5));
    answers[part][part === 'logits' ? 8 : 6] = Number.NaN;
    const run = () => selectDetections(answers, prompt, { threshold: 0.99 }, IMAGE);
    expectError(run, {
      code: 'E_WEIGHTS_NOT_FINITE',
      class: CheckpointError,
      where: 'detector',
      what: 'its answer is not a number',
    });
  });
});

describe('boxIou', () => {
  it.each<[string, BoxXyxy, BoxXyxy, number]>([
    ['the same box', [1, 2, 4, 8], [1, 2, 4, 8], 1],
    ['half of it in x', [0, 0, 2, 3], [1, 0, 3, 3], 1 / 3],
    ['a quarter of it in y and x', [0, 0, 4, 4], [2, 2, 6, 6], 1 / 7],
    ['one inside the other', [0, 0, 4, 4], [1, 1, 2, 3], 1 / 8],
    ['apart in x', [0, 0, 1, 1], [5, 0, 6, 1], 0],
    ['apart in y', [0, 0, 1, 1], [0, 5, 1, 6], 0],
    ['apart in both', [0, 0, 1, 1], [5, 5, 6, 6], 0],
    ['touching', [0, 0, 1, 1], [1, 0, 2, 1], 0],
    ['nothing at all', [3, 3, 3, 3], [3, 3, 3, 3], 0],
  ])('of %s', (_name, a, b, expected) => {
    expect(boxIou(a, b)).toBeCloseTo(expected, 12);
    expect(boxIou(b, a)).toBeCloseTo(expected, 12);
  });
});

describe('any answers', () => {
  const query: fc.Arbitrary<Query> = fc
    .record({
      phrase: fc.nat(2),
      score: fc.integer({ min: 1, max: 99_999 }).map((n) => n / 100_000),
      x: fc.integer({ min: -20, max: 190 }),
      y: fc.integer({ min: -20, max: 90 }),
      w: fc.integer({ min: 1, max: 120 }),
      h: fc.integer({ min: 1, max: 80 }),
    })
    .map(({ phrase, score, x, y, w, h }) => ({ phrase, score, box: [x, y, x + w, y + h] as const }));
  /** No two scores are equal, so that there is one right order. */
  const queries = fc.uniqueArray(query, { selector: ({ score }) => score, minLength: 1, maxLength: 20 });
  // No IoU of boxes with integer sides is this close to it.
  const nmsThreshold = fc.constantFrom(0.05, 0.3123457, 0.5123457, 0.7123457, 0.95);
  const cases = fc.tuple(queries, nmsThreshold);
  const rounded = (found: readonly Detection[]) =>
    found.map(({ phrase, score, boxXyxyPx }) => [phrase, Math.round(score * 1e5), ...boxXyxyPx.map(Math.round)]);
  const asQueries = (found: readonly Detection[]): Query[] =>
    found.map(({ phrase, score, boxXyxyPx }) => ({ phrase: PHRASES.indexOf(phrase as 'cyst'), score, box: boxXyxyPx }));

  property('come best first, from the threshold on, inside the image', cases, ([list, threshold]) => {
    const found = select(list, { nmsThreshold: threshold });
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.filter((score) => score < 0.3)).toEqual([]);
    const outside = found.filter(
      ({ boxXyxyPx: [x0, y0, x1, y1] }) => x0 < 0 || y0 < 0 || x1 > 200 || y1 > 100 || x0 >= x1 || y0 >= y1,
    );
    expect(outside).toEqual([]);
  });

  property('keep no two boxes of a phrase that overlap above the threshold, and drop none without such a one', cases, (drawn) => {
    const [list, threshold] = drawn;
    const found = select(list, { nmsThreshold: threshold });
    const overlapsBetter = (one: Detection) =>
      found.some(
        (kept) => kept.phrase === one.phrase && kept.score > one.score && boxIou(kept.boxXyxyPx, one.boxXyxyPx) > threshold,
      );
    expect(found.filter(overlapsBetter)).toEqual([]);
    const kept = new Set(rounded(found).map(String));
    const dropped = select(list, { nmsThreshold: 1 }).filter((one) => !kept.has(String(rounded([one])[0])));
    expect(dropped.filter((one) => !overlapsBetter(one))).toEqual([]);
  });

  property('stay as they are when they are selected from once more, in any order', cases, ([list, threshold]) => {
    const found = select(list, { nmsThreshold: threshold });
    if (found.length === 0) return;
    expect(rounded(select(asQueries(found).reverse(), { nmsThreshold: threshold }))).toEqual(rounded(found));
    expect(rounded(select([...list].reverse(), { nmsThreshold: threshold }))).toEqual(rounded(found));
  });

  property('are cut to the first of them by a limit, and to the first of each phrase by `best`', cases, ([list, threshold]) => {
    const found = select(list, { nmsThreshold: threshold });
    for (const maxDetections of [1, 3]) {
      const fewer = select(list, { nmsThreshold: threshold, maxDetections });
      expect(rounded(fewer)).toEqual(rounded(found.slice(0, maxDetections)));
    }
    const firsts = found.filter(({ phrase }, i) => found.findIndex((other) => other.phrase === phrase) === i);
    expect(rounded(select(list, { nmsThreshold: threshold, select: 'best-per-phrase' }))).toEqual(rounded(firsts));
  });
});
