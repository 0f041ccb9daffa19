import { describe, expect, it } from '@jest/globals';
import { giouOf, matchQueries } from '../../src/losses/index.js';
import { iouOf } from '../../src/losses/matcher.js';
import { Rng } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';

const COSTS = { class: 1, bbox: 5, giou: 2 };

type Box = [number, number, number, number];

function randomBoxes(rng: Rng, count: number): Box[] {
  return Array.from({ length: count }, () => [
    rng.uniform(0.2, 0.8),
    rng.uniform(0.2, 0.8),
    rng.uniform(0.05, 0.4),
    rng.uniform(0.05, 0.4),
  ]);
}

function prediction(rng: Rng, queries: number, tokens = 3) {
  const logits = Float32Array.from({ length: queries * tokens }, () => rng.normal(0, 2));
  return { logits, boxes: Float32Array.from(randomBoxes(rng, queries).flat()), queries, tokens };
}

function l1({ boxes }: { boxes: Float32Array }, query: number, box: Box): number {
  return box.reduce((sum, value, i) => sum + Math.abs(value - (boxes[query * 4 + i] as number)), 0);
}

/** Of one word: what the focal loss of a yes exceeds that of a no by. */
function wordCost(logit: number): number {
  const p = 1 / (1 + Math.exp(-logit));
  return -0.25 * (1 - p) ** 2 * Math.log(p) + 0.75 * p ** 2 * Math.log(1 - p);
}

/** The mean over an object's words. */
function wordsCost(
  { logits, tokens }: { logits: Float32Array; tokens: number },
  query: number,
  words: readonly number[],
): number {
  return words.reduce((sum, word) => sum + wordCost(logits[query * tokens + word] as number), 0) / words.length;
}

/** The least total over all ways to give each object a query of its own. */
function exhaustive(cost: (object: number, query: number) => number, objects: number, queries: number): number {
  const best = (object: number, taken: readonly number[]): number =>
    object === objects
      ? 0
      : Math.min(
          ...Array.from({ length: queries }, (_, q) =>
            taken.includes(q) ? Number.POSITIVE_INFINITY : cost(object, q) + best(object + 1, [...taken, q]),
          ),
        );
  return best(0, []);
}

describe('overlap of boxes by centre and size', () => {
  it.each<[string, Box, Box, iou: number, giou: number]>([
    ['of equal ones', [0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], 1, 1],
    // 0.1 x 0.4 of 0.2 x 0.4 and 0.2 x 0.4 in 0.3 x 0.4.
    ['side by side, half over each other', [0.4, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4], 1 / 3, 1 / 3],
    // 0.1 x 0.2 of 0.2 x 0.4 and 0.4 x 0.3, joined 0.18 in a hull of 0.5 x 0.5.
    ['corner over corner', [0.3, 0.3, 0.2, 0.4], [0.5, 0.45, 0.4, 0.3], 0.02 / 0.18, 0.02 / 0.18 - 0.07 / 0.25],
    ['one in the other', [0.5, 0.5, 0.4, 0.4], [0.45, 0.55, 0.2, 0.1], 0.125, 0.125],
    // A gap of 0.1 in x: a hull of 0.5 x 0.4.
    ['apart in x', [0.3, 0.5, 0.2, 0.4], [0.6, 0.5, 0.2, 0.4], 0, -0.04 / 0.2],
    ['apart in both', [0.2, 0.2, 0.2, 0.2], [0.7, 0.8, 0.4, 0.2], 0, -(0.64 - 0.12) / 0.64],
    ['of two points', [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], 0, 0],
  ])('%s', (_, a, b, iou, giou) => {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      expect(iouOf(one, other)).toBeCloseTo(iou, 10);
      expect(giouOf(one, other)).toBeCloseTo(giou, 10);
    }
  });
});

describe('matching', () => {
  it.each([{ class: 0, bbox: 1, giou: 0 }, { class: 0, bbox: 0, giou: 1 }, COSTS, { class: 4, bbox: 1, giou: 0.5 }])(
    'finds the cheapest assignment by %j',
    (costs) => {
      const rng = Rng.seeded(5);
      for (let round = 0; round < 20; round++) {
        const image = prediction(rng, 6);
        const boxesCxcywh = randomBoxes(rng, 4);
        const tokens = [[1], [0, 2], [2], [0, 1, 2]];
        const cost = (object: number, query: number) =>
          costs.class * wordsCost(image, query, tokens[object] as number[]) +
          costs.bbox * l1(image, query, boxesCxcywh[object] as Box) -
          costs.giou * giouOf([...image.boxes.subarray(query * 4, query * 4 + 4)] as Box, boxesCxcywh[object] as Box);
        const matches = matchQueries(image, { boxesCxcywh, tokens }, costs);
        const total = matches.reduce((sum, { query, object }) => sum + cost(object, query), 0);
        expect(total).toBeCloseTo(exhaustive(cost, 4, 6), 6);
        expect(new Set(matches.map(({ query }) => query)).size).toBe(4);
        expect(matches.map(({ object }) => object).sort()).toEqual([0, 1, 2, 3]);
      }
    },
  );

  it('weighs words by the focal loss with alpha 0.25 and gamma 2, as the reference does', () => {
    const rng = Rng.seeded(11);
    const object: Box = [0.5, 0.5, 0.2, 0.3];
    const costOf = (words: readonly number[]) => wordsCost({ logits: Float32Array.from(words), tokens: 2 }, 0, [0, 1]);
    let rounds = 0;
    while (rounds < 200) {
      const words = [0, 1].map(() => [rng.normal(0, 2), rng.normal(0, 2)]).sort((a, b) => costOf(a) - costOf(b));
      const lead = costOf(words[1] ?? []) - costOf(words[0] ?? []);
      if (lead < 0.05) continue;
      rounds += 1;
      // The box of the better words is moved by what they are worth: by a little less, and they still win.
      for (const [factor, winner] of [
        [0.995, 0],
        [1.005, 1],
      ] as const) {
        const boxes = Float32Array.of(0.5 + lead * factor, 0.5, 0.2, 0.3, ...object);
        const logits = Float32Array.from(words.flatMap((pair) => [9, ...pair]));
        const target = { boxesCxcywh: [object], tokens: [[1, 2]] };
        const matches = matchQueries({ logits, boxes, queries: 2, tokens: 3 }, target, { class: 1, bbox: 1, giou: 0 });
        expect([words, matches]).toEqual([words, [{ query: winner, object: 0 }]]);
      }
    }
  });

  it('lets the words decide between equal boxes', () => {
    const box: Box = [0.5, 0.5, 0.2, 0.3];
    const image = {
      logits: Float32Array.of(-4, 3, -4, 3, -4, -4),
      boxes: Float32Array.from([...box, ...box]),
      queries: 2,
      tokens: 3,
    };
    const matches = matchQueries(image, { boxesCxcywh: [box, box], tokens: [[0], [1]] }, COSTS);
    expect(matches).toHaveLength(2);
    expect(matches).toEqual(
      expect.arrayContaining([
        { query: 1, object: 0 },
        { query: 0, object: 1 },
      ]),
    );
  });

  it('gives each object several queries, as many as there are', () => {
    const rng = Rng.seeded(6);
    const target = { boxesCxcywh: randomBoxes(rng, 3), tokens: [[0], [1, 2], [2]] };
    const countOf = (queries: number, copies: number) => {
      const matches = matchQueries(prediction(rng, queries), target, COSTS, copies);
      expect(new Set(matches.map(({ query }) => query)).size).toBe(matches.length);
      return [0, 1, 2].map((object) => matches.filter((match) => match.object === object).length);
    };
    expect(countOf(20, 4)).toEqual([4, 4, 4]);
    expect(countOf(8, 4)).toEqual([2, 2, 2]);
    expect(countOf(3, 4)).toEqual([1, 1, 1]);
  });

  it('leaves objects over when there are more of them than queries', () => {
    const rng = Rng.seeded(7);
    const target = { boxesCxcywh: randomBoxes(rng, 5), tokens: Array.from({ length: 5 }, () => [1]) };
    const matches = matchQueries(prediction(rng, 2), target, COSTS);
    expect(matches.map(({ query }) => query).sort()).toEqual([0, 1]);
    expect(new Set(matches.map(({ object }) => object)).size).toBe(2);
  });

  it('matches nothing to nothing', () => {
    expect(matchQueries(prediction(Rng.seeded(8), 4), { boxesCxcywh: [], tokens: [] }, COSTS)).toEqual([]);
  });

  it('reads logits of minus infinity as a negative, and refuses NaN', () => {
    const image = prediction(Rng.seeded(9), 3);
    const target = { boxesCxcywh: [[0.5, 0.5, 0.2, 0.2] as const], tokens: [[0]] };
    image.logits.fill(Number.NEGATIVE_INFINITY, 0, 3);
    expect(matchQueries(image, target, { class: 1, bbox: 0, giou: 0 })).not.toContainEqual({ query: 0, object: 0 });
    image.boxes[5] = Number.NaN;
    expectError(() => matchQueries(image, target, COSTS), {
      code: 'E_LOSS_NOT_FINITE',
      where: 'matching',
      what: 'query 1 has a logit or a box that is not finite',
    });
  });
});
