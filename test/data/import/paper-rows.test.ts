import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { contourArea } from '../../../src/data/import/objects/contour-area.js';
import { outerRegions } from '../../../src/data/import/objects/outer-contours.js';
import { PythonRandom } from '../../../src/data/import/splits/python-random.js';
import { splitGroups, splitRows } from '../../../src/data/import/splits/split.js';
import { fixturePath } from '../../support/golden.js';

const read = (name: string) => JSON.parse(readFileSync(fixturePath(name, 'cases.json'), 'utf8'));
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

interface Shuffles {
  readonly words: readonly { readonly seed: number; readonly words: readonly number[]; readonly below: readonly number[] }[];
  readonly orders: readonly {
    readonly seed: number;
    readonly lists: readonly {
      readonly size: number;
      readonly first: readonly number[];
      readonly last: readonly number[];
      readonly sha256: string;
      readonly parts: readonly number[];
    }[];
  }[];
}

describe("Python's generator", () => {
  const { words, orders } = read('python-shuffle') as Shuffles;

  it.each(words.map((entry) => [entry.seed, entry] as const))('draws the same words for seed %d', (seed, entry) => {
    const random = new PythonRandom(seed);
    expect(entry.words.map(() => random.uint32())).toEqual(entry.words);
    expect([1, 2, 3, 7, 8, 1000, 2592, 2 ** 31, 2 ** 32 - 1].map((n) => random.below(n))).toEqual(entry.below);
  });

  it.each(orders)('shuffles and splits one list after another as the published code does ($seed)', ({ seed, lists }) => {
    const rows = lists.flatMap(({ size }, list) => range(size).map((n) => ({ n, list: String(list) })));
    const splits = splitRows(
      rows,
      lists.map((_list, i) => String(i)),
      seed,
    );
    for (const [i, list] of lists.entries()) {
      const own = (['train', 'val', 'test'] as const).map((split) => splits[split].filter((row) => row.list === String(i)));
      expect(own.map((split) => split.length)).toEqual(list.parts);
      const order = own.flat().map(({ n }) => n);
      expect([order.slice(0, 10), order.slice(-3)]).toEqual([list.first, list.last]);
      expect(createHash('sha256').update(JSON.stringify(order)).digest('hex')).toBe(list.sha256);
    }
  });
});

interface Contours {
  readonly cases: readonly {
    readonly width: number;
    readonly height: number;
    readonly rows: readonly string[];
    readonly boxes: readonly (readonly number[])[];
    readonly areas: readonly number[];
  }[];
}

describe('outer contours', () => {
  const { cases } = read('outer-contours') as Contours;

  it.each(cases.map((entry, i) => [i, entry] as const))(
    'equal those of OpenCV, in its order (mask %d)',
    (_i, { width, height, rows, boxes, areas }) => {
      const mask = { width, height, data: Uint8Array.from(rows.join(''), Number) };
      const regions = outerRegions(mask);
      expect(regions.map(({ boxXyxyPx: [x0, y0, x1, y1] }) => [x0, y0, x1 - x0, y1 - y0])).toEqual(boxes);
      expect(regions.map((region) => contourArea(region, mask))).toEqual(areas);
    },
  );
});

describe('division by groups', () => {
  it('has exactly the published shares where every image is a group', () => {
    const splits = splitGroups(
      range(2592).map((n) => ({ group: String(n) })),
      42,
    );
    expect((['train', 'val', 'test'] as const).map((split) => splits.filter((own) => own === split).length)).toEqual([
      1814, 518, 260,
    ]);
  });

  it('keeps groups of unequal size whole, comes near the shares and depends on the seed alone', () => {
    const items = range(38).flatMap((patient) => range(3 + ((patient * 7) % 30)).map(() => ({ group: `patient ${patient}` })));
    const splits = splitGroups(items, 1);
    for (const { group } of items) expect(new Set(splits.filter((_, i) => items[i]?.group === group)).size).toBe(1);
    const share = (split: string) => splits.filter((own) => own === split).length / items.length;
    expect(Math.abs(share('train') - 0.7)).toBeLessThan(0.04);
    expect(Math.abs(share('val') - 0.2)).toBeLessThan(0.04);
    const turned = splitGroups([...items].reverse(), 1).reverse();
    expect(turned).toEqual(splits);
    expect(splitGroups(items, 2)).not.toEqual(splits);
  });

  it.each([
    [0, [0, 0, 0]],
    [1, [1, 0, 0]],
    [2, [1, 0, 1]],
    [3, [1, 1, 1]],
    [4, [2, 1, 1]],
    [10, [7, 2, 1]],
    [42, [29, 8, 5]],
  ])('leaves no split empty if possible (%d images)', (n, expected) => {
    const splits = splitGroups(
      range(n).map((i) => ({ group: String(i) })),
      3,
    );
    expect((['train', 'val', 'test'] as const).map((split) => splits.filter((own) => own === split).length)).toEqual(expected);
  });
});
