import { describe, expect, it } from '@jest/globals';
import { spread } from '../../src/eval/gallery/examples.js';
import { collect } from '../../src/eval/index.js';
import { histogram, lineChart, spreadChart } from '../../src/eval/page/charts.js';
import { compareMethods, comparisonTable } from '../../src/eval/summary/comparison.js';
import { holm } from '../../src/metrics/index.js';
import { escapeHtml } from '../../src/util/index.js';
import { answered, datasetOf, methodOf, object, plain, sample } from '../support/eval.js';

const samples = Array.from({ length: 24 }, (_, i) =>
  sample(`s${i}`, [object('lesion', [4, 4, 14, 14])], { dataset: i < 12 ? 'one' : 'two' }),
);
/** Finds a part that depends on the image; `less` rows are lost. */
const method = (name: string, less: number, misses: (i: number) => boolean = () => false) =>
  methodOf(name, (one, [phrase = '']) => {
    const i = Number(one.id.slice(1));
    return misses(i) ? [] : [answered(phrase, 0.9, [4, 4, 14, 14 - less - (i % 2)])];
  });

describe('methods against each other', () => {
  it('are tested in pairs on each dataset and on all images, corrected together', async () => {
    const methods = [method('a', 0), method('b', 1), method('c', 0, (i) => i % 3 === 0)];
    const { rows } = await collect([{ dataset: datasetOf(samples), methods }], plain);
    const found = compareMethods(rows, ['a', 'b', 'c'], ['one', 'two'], 5);
    expect(found).toHaveLength(2 * 3 * 3);
    const [first] = found;
    expect(first).toMatchObject({ protocol: 'strict', dataset: 'one', methods: ['a', 'b'], n: 12 });
    expect(first?.difference).toBeGreaterThan(0);
    // All twelve differences have one sign: twice a chance of 2^-12.
    expect(first?.wilcoxon.p).toBeCloseTo(2 / 4096, 10);
    const strict = found.filter(({ protocol }) => protocol === 'strict');
    expect(strict.map(({ wilcoxon }) => wilcoxon.holm)).toEqual(holm(strict.map(({ wilcoxon }) => wilcoxon.p)));
    // The paper's way is blind to what c loses, and finds a and c alike.
    const paper = found.find((one) => one.protocol === 'paper' && one.dataset === 'all images' && one.methods.join() === 'a,c');
    expect(paper).toMatchObject({ n: 16, difference: 0, wilcoxon: { p: 1, holm: 1 } });
    const strictly = strict.find((one) => one.dataset === 'all images' && one.methods.join() === 'a,c');
    expect(strictly?.difference).toBeGreaterThan(25);
    expect(comparisonTable(found).rows).toHaveLength(18);
  });

  it('have no interval over one patient, and one without width over several whose differences are equal', async () => {
    const methods = [method('a', 0), method('b', 1)];
    const compared = async (group: (i: number) => string) => {
      // Only even images: all differences are equal.
      const own = samples.filter((_, i) => i % 2 === 0).map((one, i) => ({ ...one, group: group(i) }));
      const { rows } = await collect([{ dataset: datasetOf(own), methods }], plain);
      return compareMethods(rows, ['a', 'b'], ['one'], 5).filter(({ protocol }) => protocol === 'strict');
    };
    const [ofOne, ofSeveral] = [await compared(() => 'one patient'), await compared(String)];
    expect(ofOne[0]).toMatchObject({ n: 6, interval: null, bootstrap: { p: 1 } });
    const difference = ofOne[0]?.difference as number;
    expect(difference).toBeGreaterThan(0);
    expect(ofSeveral[0]).toMatchObject({ n: 6, difference, interval: [difference, difference] });
    const [cell, other] = [ofOne, ofSeveral].map((found) => comparisonTable(found).rows[0]?.cells[6]);
    expect([cell, other]).toEqual([null, `${difference.toFixed(2)} to ${difference.toFixed(2)}`]);
  });
});

describe('the page', () => {
  it('takes words as words', () => {
    expect(escapeHtml(`<img src=x onerror="a('b')">&`)).not.toMatch(/[<>"']/);
    expect(
      lineChart(
        [
          {
            label: '<b>',
            points: [
              [0, 1],
              [1, 2],
            ],
          },
          { label: 'y', points: [[0, 0]] },
        ],
        { title: '<i>', x: '<u>', y: 'y' },
      ),
    ).not.toMatch(/<[bu]>|<i>(?!<\/i>)/);
  });

  it('draws an empty series, a single point, and gaps for NaN', () => {
    const axes = { title: 't', x: 'x', y: 'y' };
    expect(lineChart([], axes)).toBe('');
    expect(lineChart([{ label: 'l', points: [[Number.NaN, 1]] }], axes)).toBe('');
    for (const svg of [
      lineChart([{ label: 'l', points: [[1, 1]] }], axes),
      lineChart(
        [
          {
            label: 'l',
            points: [
              [0, 1e-9],
              [1e6, 2e-9],
            ],
          },
        ],
        axes,
      ),
      histogram([], 4, [0, 100], axes),
      histogram([0, 100, 100, -5, 200], 4, [0, 100], axes),
      spreadChart(
        [
          { label: 'a', remark: '', values: [] },
          { label: 'b', remark: 'r', values: [{ label: 'w', value: 3 }] },
        ],
        [0, 100],
        axes,
      ),
    ])
      expect(svg).not.toMatch(/NaN|Infinity/);
    expect(histogram([0, 100, 100], 4, [0, 100], axes).match(/<title>\d+/g)).toEqual([
      '<title>1',
      '<title>0',
      '<title>0',
      '<title>2',
    ]);
  });

  it('shows a part of many images evenly, the worst and the best among them', () => {
    const items = Array.from({ length: 1000 }, (_, i) => i);
    const chosen = spread(items, 120);
    expect(chosen).toHaveLength(120);
    expect([chosen[0], chosen.at(-1)]).toEqual([0, 999]);
    expect(new Set(chosen).size).toBe(120);
    expect(spread(items.slice(0, 5), 120)).toEqual([0, 1, 2, 3, 4]);
  });
});
