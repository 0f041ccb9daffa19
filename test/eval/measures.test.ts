import { describe, expect, it } from '@jest/globals';
import { groupSizes, measureTable } from '../../src/eval/index.js';
import { measuresSection } from '../../src/eval/page/measures-section.js';
import { agreementOf } from '../../src/metrics/index.js';
import { isMasked, type TargetRow } from '../../src/protocols/index.js';
import { judge } from '../../src/protocols/judge.js';
import { ellipseMask } from '../support/ellipse-mask.js';

const spacingMm = [0.4, 0.25] as const;
const mask = (axesMm: readonly [number, number]) => ellipseMask({ axesMm, angle: 0.4, spacingMm });
const truth = mask([20, 12]);
const box = [0, 0, truth.width, truth.height] as const;

/** A mask of another size on the grid of the true one. */
function onGrid(axesMm: readonly [number, number]) {
  const own = mask(axesMm);
  const data = new Uint8Array(truth.data.length);
  const [dx, dy] = [(truth.width - own.width) >> 1, (truth.height - own.height) >> 1];
  for (let y = 0; y < own.height; y++)
    data.set(own.data.subarray(y * own.width, (y + 1) * own.width), (y + dy) * truth.width + dx);
  return { ...truth, data };
}

function rowOf(spacing: typeof spacingMm | undefined, distances = true): TargetRow {
  const { width, height } = truth;
  const image = { width, height, data: new Uint8Array(width * height * 3) };
  const known = spacing === undefined ? {} : { spacingMm: spacing };
  const sample = { id: 'a', dataset: 'heads', image, objects: [], phrases: ['head'], ...known };
  const predicted = [{ phrase: 'head', score: 1, boxXyxyPx: box, mask: onGrid([16, 12]) }].filter(isMasked);
  const judged = judge(sample, [{ phrase: 'head', boxXyxyPx: box, mask: truth }], predicted, {
    unit: 'mm',
    tolerance: distances ? 1 : undefined,
  });
  return { dataset: 'heads', method: 'm', protocol: 'strict', target: 'head', ...judged } as unknown as TargetRow;
}

describe('the sizes of an evaluation', () => {
  it('are measured on prediction and truth, in millimetres of pixels that are not square', () => {
    const sizes = new Map((rowOf(spacingMm).sizes ?? []).map(({ measure, ...pair }) => [measure, pair]));
    const long = sizes.get('long axis');
    expect(Math.abs((long?.measured ?? 0) - 16)).toBeLessThan(0.4);
    expect(Math.abs((long?.truth ?? 0) - 20)).toBeLessThan(0.4);
    expect(Math.abs((sizes.get('area')?.truth ?? 0) - Math.PI * 60)).toBeLessThan(3);
    expect([...sizes.keys()]).toEqual(['long axis', 'short axis', 'perimeter', 'ellipse circumference', 'area']);
  });

  it('do not exist where pixels have no known size, nor where distances are not asked for', () => {
    expect(rowOf(undefined).sizes).toBeUndefined();
    expect(rowOf(spacingMm, false).sizes).toBeUndefined();
    expect(groupSizes([rowOf(undefined)])).toEqual([]);
    expect(measuresSection([rowOf(undefined)])).toEqual([]);
  });

  it('are summed up by dataset and measure, with bias and limits of agreement', () => {
    const pairs = [
      [10, 12],
      [21, 20],
      [33, 30],
    ].map(([measured, truthMm]) => ({ measure: 'long axis' as const, measured: measured as number, truth: truthMm as number }));
    const rows = pairs.map((pair) => ({ dataset: 'heads', sizes: [pair] }) as unknown as TargetRow);
    const [group] = groupSizes(rows);
    expect(group).toMatchObject({ dataset: 'heads', measure: 'long axis', agreement: { n: 3, meanError: 2 } });
    const { cells } = measureTable(groupSizes(rows)).rows[0] ?? {};
    // Differences -2, 1, 3: mean 2/3, standard deviation √(19/3).
    const reach = 1.96 * Math.sqrt(19 / 3);
    expect(cells).toEqual([
      'heads',
      'long axis',
      'mm',
      3,
      '2.00',
      '0.67',
      `${(2 / 3 - reach).toFixed(2)} to ${(2 / 3 + reach).toFixed(2)}`,
    ]);
    const [html] = measuresSection(rows);
    expect(html).toContain('predicted minus true, mm');
    expect(html).toContain('bias 0.67');
    expect(html?.match(/limit of agreement/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('have no limits of agreement for a single pair', () => {
    expect(agreementOf([{ measured: 3, truth: 1 }])).toEqual({ n: 1, meanError: 2, bias: 2, limits: [Number.NaN, Number.NaN] });
  });
});
