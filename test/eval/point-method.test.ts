import { describe, expect, it } from '@jest/globals';
import {
  AnswerCache,
  collect,
  detectedCentres,
  type ModelMethod,
  oraclePoints,
  PointMethod,
  type PointWay,
  scoreTable,
} from '../../src/eval/index.js';
import { chooserOf, drawnPoint } from '../../src/eval/predictions/given-points.js';
import { type BinaryMask, resizeMask } from '../../src/imaging/index.js';
import type { MarkedPoint } from '../../src/infer/index.js';
import type { PointEntry } from '../../src/methods/index.js';
import type { Answer } from '../../src/protocols/index.js';
import { answered, datasetOf, methodOf, object, plain, rectangle, sample } from '../support/eval.js';
import { fixturePath, GoldenArrays } from '../support/golden-arrays.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('point-method');
const WEIGHTS = fixturePath('samus', 'published.pth');

/** Marks three pixels around each point, and counts what it is asked. */
class Marking {
  loads = 0;
  images = 0;
  points: MarkedPoint[] = [];

  readonly entry: PointEntry = {
    name: 'marking',
    title: 'Marking',
    takes: 'point',
    licence: { code: 'none', weights: 'none' },
    weights: { published: 'none' },
    trainedOn: { datasets: ['BUSI'], source: 'this test' },
    random: true,
    grid: { width: 20, height: 20 },
    configs: [{}],
    create: async () => {
      this.loads += 1;
      return {
        grid: { width: 20, height: 20 },
        setImage: async () => {
          this.images += 1;
        },
        predictPoints: async (points) => {
          this.points.push(...points);
          return points.map(({ point: [x, y] }) => ({
            mask: rectangle([Math.floor(x), Math.floor(y), Math.floor(x) + 3, Math.floor(y) + 3]),
            ownGrid: { width: 20, height: 20, data: new Uint8Array(400).fill(1) },
            score: 0.5,
          }));
        },
        predictBoxes: async () => [],
        dispose: () => {},
      };
    },
  };
}

const FIXED: PointWay = { way: 'fixed' };

function open(marking: Marking, ways: readonly PointWay[], found: Answer = [], weights = WEIGHTS): Promise<PointMethod[]> {
  const ours = { answer: async () => found } as unknown as ModelMethod;
  const sources = [...ways.map(oraclePoints), detectedCentres(ours)];
  const cache = new AnswerCache(`${dir}/${Math.random()}`);
  return PointMethod.open({ entry: marking.entry, weights, asPublished: false, sources, cache });
}

const two = sample('a', [object('cyst', [2, 2, 10, 10]), object('tumor', [20, 5, 30, 20])]);

describe('points drawn from the ground truth', () => {
  it('are the authors’ where they are fixed: the middle pixel row by row, or beside a structure that their grid loses', async () => {
    const golden = await GoldenArrays.read('samus-images');
    for (const name of ['blob', 'two', 'dot']) {
      const { data, shape } = golden.array(`in.${name}`);
      const [height = 0, width = 0] = shape;
      const mask: BinaryMask = { width, height, data: Uint8Array.from(data as ArrayLike<number>) };
      const { at, inside } = drawnPoint(resizeMask(mask, { width: 64, height: 64 }), chooserOf(FIXED, two, name));
      expect([at % 64, Math.floor(at / 64)]).toEqual(Array.from(golden.array(`out.${name}.point`).data));
      expect(Number(inside)).toBe(golden.array(`out.${name}.label`).data[0]);
    }
  });

  it('lie inside at random, by the seed, the image and the phrase alone', () => {
    const mask = rectangle([4, 3, 9, 8]);
    const draw = (seed: number, id: string) =>
      drawnPoint(mask, chooserOf({ way: 'random', seed }, { dataset: 'd', id }, 'cyst')).at;
    const drawn = Array.from({ length: 40 }, (_, i) => draw(1, `image ${i}`));
    expect(drawn.every((at) => mask.data[at] === 1)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(10);
    expect(Array.from({ length: 40 }, (_, i) => draw(1, `image ${i}`))).toEqual(drawn);
    expect(Array.from({ length: 40 }, (_, i) => draw(2, `image ${i}`))).not.toEqual(drawn);
  });
});

describe('a method that takes points', () => {
  it('is a row for each way to draw them, marked as oracle, and one for the centres of our detector’s boxes', async () => {
    const rows = await open(new Marking(), [FIXED, { way: 'random', seed: 3 }]);
    expect(rows.map(({ name }) => name)).toEqual([
      'marking (oracle point)',
      'marking (oracle point, random, seed 3)',
      'marking (centre of our box)',
    ]);
    expect(rows.map(({ given }) => given)).toEqual([
      'point (oracle)',
      'point (oracle, random, seed 3)',
      'point (centre of our detector’s box)',
    ]);
    expect(rows.map(({ scored }) => scored)).toEqual([false, false, true]);
    expect([rows[0]?.seen('busi'), rows[0]?.seen('STU')]).toEqual(['yes', 'unknown']);
  });

  it('is given one point for each structure that an image shows, in pixels of the image, and none for others', async () => {
    const marking = new Marking();
    const [oracle] = (await open(marking, [FIXED])) as [PointMethod];
    const answer = await oracle.answer({ ...two, phrases: ['cyst', 'tumor', 'spleen'] }, ['tumor', 'spleen']);
    expect(answer.map(({ phrase, score }) => [phrase, score])).toEqual([['tumor', 1]]);
    // The box is that of the mask, and the grid of the model stays with it.
    const [x, y] = marking.points[0]?.point ?? [];
    // Of 10 rows of 5 pixels, the middle is the first of a row: the authors' point may lie on the edge.
    expect([x, y]).toEqual([20, 12]);
    expect(answer[0]?.boxXyxyPx).toEqual([20, 12, 23, 15]);
    expect(answer[0]?.ownGrid?.width).toBe(20);
    expect(await oracle.answer(sample('n', []), ['tumor'])).toEqual([]);
    expect((await oracle.answer(two, ['lesion'])).map(({ phrase }) => phrase)).toEqual(['lesion']);
    expect(marking.loads).toBe(1);
  });

  it('with our detector is given the centres of the boxes that count, and keeps the scores of all', async () => {
    const marking = new Marking();
    const counted = answered('tumor', 0.8, [20, 5, 30, 20]);
    const { mask: _, maskScore: __, ...uncounted } = answered('tumor', 0.1, [0, 0, 5, 5]);
    const [, ours] = (await open(marking, [FIXED], [uncounted, counted])) as [PointMethod, PointMethod];
    const [first, second] = await ours.answer(two, ['tumor']);
    expect(first).toEqual(uncounted);
    expect([second?.score, second?.boxXyxyPx, second?.maskScore]).toEqual([0.8, counted.boxXyxyPx, 0.5]);
    expect(second?.mask).toEqual(rectangle([25, 12, 28, 15]));
    expect(marking.points).toEqual([{ point: [25, 12.5], inside: true }]);
  });

  it('is timed without its cache', async () => {
    const marking = new Marking();
    const [oracle] = (await open(marking, [FIXED])) as [PointMethod];
    await oracle.answer(two, ['tumor']);
    await oracle.predict(two, ['tumor']);
    await oracle.predict(two, ['tumor']);
    expect(marking.images).toBe(3);
  });
});

describe('a method with random weights', () => {
  it('is marked, runs on ten images of each dataset, and has no mean', async () => {
    const marking = new Marking();
    const [oracle] = (await open(marking, [FIXED], [], 'random')) as [PointMethod];
    expect([oracle.name, oracle.untrained, oracle.seen('BUSI')]).toEqual([
      'marking, random weights (oracle point)',
      true,
      'unknown',
    ]);
    const named = (dataset: string) =>
      Array.from({ length: 12 }, (_, i) => ({ ...sample(`${dataset} ${i}`, two.objects), dataset }));
    const ours = methodOf('ours', () => [answered('tumor', 0.9, [20, 5, 30, 20])]);
    const splits = [{ dataset: datasetOf([...named('first'), ...named('second')]), methods: [ours, oracle] }];
    const { rows, untrained } = await collect(splits, plain);
    expect(untrained).toEqual([oracle.name]);
    const images = (method: string, dataset: string) =>
      new Set(rows.filter((row) => row.method === method && row.dataset === dataset).map(({ image }) => image)).size;
    expect([images('ours', 'first'), images(oracle.name, 'first'), images(oracle.name, 'second')]).toEqual([12, 10, 10]);
    const none = { datasets: { first: undefined }, organs: { other: undefined }, overall: undefined, pooled: undefined };
    const summary = { method: oracle.name, strict: none, paper: none, given: oracle.given, untrained: { first: 10 } };
    const table = scoreTable([summary as never], { tolerance: plain.tolerance, grid: 'image' });
    const [cells] = table.rows.map((row) => row.cells);
    expect(Object.fromEntries(table.columns.map((column, i) => [column, cells?.[i]]))).toMatchObject({
      dataset: 'first',
      'DSC strict': 'random weights',
      'DSC paper': 'random weights',
      'IoU strict': null,
      n: 10,
      'n paper': null,
      given: 'point (oracle)',
      'seen in pre-training': 'no',
    });
    expect(table.rows.length).toBe(1);
    expect(table.notes.join(' ')).toContain('the weights are random');
  });
});
