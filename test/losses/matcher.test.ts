import { describe, expect, it } from '@jest/globals';
import { matchQueries } from '../../src/losses/index.js';
import { Rng } from '../../src/util/index.js';

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

/** Cost of one pair: what matching a single object with a single query costs is found by weighing each kind apart. */
function l1({ boxes }: { boxes: Float32Array }, query: number, box: Box): number {
  return box.reduce((sum, value, i) => sum + Math.abs(value - (boxes[query * 4 + i] as number)), 0);
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

describe('matching', () => {
  it('finds the cheapest assignment', () => {
    const rng = Rng.seeded(5);
    for (let round = 0; round < 20; round++) {
      const image = prediction(rng, 6);
      const boxesCxcywh = randomBoxes(rng, 4);
      const matches = matchQueries(image, { boxesCxcywh, tokens: boxesCxcywh.map(() => [1]) }, { class: 0, bbox: 1, giou: 0 });
      const total = matches.reduce((sum, { query, object }) => sum + l1(image, query, boxesCxcywh[object] as Box), 0);
      expect(total).toBeCloseTo(
        exhaustive((object, query) => l1(image, query, boxesCxcywh[object] as Box), 4, 6),
        9,
      );
      expect(new Set(matches.map(({ query }) => query)).size).toBe(4);
      expect(matches.map(({ object }) => object).sort()).toEqual([0, 1, 2, 3]);
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

  it('takes logits of minus infinity as a no, and refuses what is not a number', () => {
    const image = prediction(Rng.seeded(9), 3);
    const target = { boxesCxcywh: [[0.5, 0.5, 0.2, 0.2] as const], tokens: [[0]] };
    image.logits.fill(Number.NEGATIVE_INFINITY, 0, 3);
    expect(matchQueries(image, target, { class: 1, bbox: 0, giou: 0 })).not.toContainEqual({ query: 0, object: 0 });
    image.boxes[5] = Number.NaN;
    expect(() => matchQueries(image, target, COSTS)).toThrow('query 1 has a logit or a box that is not finite');
  });
});
