import { describe, expect, it } from '@jest/globals';
import { parseTolerance } from '../../../src/cli/eval/tolerance.js';
import { UsageError } from '../../../src/util/index.js';
import { expectError } from '../../support/expect-error.js';

const parsed = (...texts: string[]) => parseTolerance('--tolerance', texts);

describe('the tolerance of border distances', () => {
  it.each<[string[], { mm: number; px: number }]>([
    [[], { mm: 1, px: 2 }],
    [['2 mm'], { mm: 2, px: 2 }],
    [['0.1cm'], { mm: 1, px: 2 }],
    [['500 um'], { mm: 0.5, px: 2 }],
    [['1.5e-3 m'], { mm: 1.5, px: 2 }],
    [['1 inch'], { mm: 25.4, px: 2 }],
    [['3px'], { mm: 1, px: 3 }],
    [['.5 pixels', '2 millimeters'], { mm: 2, px: 0.5 }],
  ])('reads %j', async (texts, { mm, px }) => {
    const tolerance = await parsed(...texts);
    expect(tolerance.mm).toBeCloseTo(mm, 12);
    expect(tolerance.px).toBe(px);
  });

  it.each([
    ['2', /"2" is not a number with a unit/],
    ['mm', /is not a number with a unit/],
    ['', /is not a number with a unit/],
    ['-2 mm', /is not a number with a unit/],
    ['2 mm; 3', /is not a number with a unit/],
    ['2 mm^2', /is not a number with a unit/],
    ['1e999 mm', /is not a distance above 0/],
    ['0 mm', /is not a distance above 0/],
    ['1 lightyear', /has no unit of length: lightyear|is not a distance/],
    ['2 kg', /has no unit of length: kg/],
    ['2 furlong', /has no unit of length: furlong/],
    ['2 constructor', /has no unit of length: constructor/],
    ['2 toString', /has no unit of length: toString/],
  ])('refuses %j', async (text, message) => {
    await expectError(parsed(text), { code: 'E_OPTION_VALUE', class: UsageError, where: '--tolerance', what: message });
  });

  it('refuses two distances of one kind', async () => {
    await expectError(parsed('2 mm', '1 cm'), {
      code: 'E_OPTION_VALUE',
      where: '--tolerance',
      what: '"1 cm" is the second distance in mm',
    });
  });
});
