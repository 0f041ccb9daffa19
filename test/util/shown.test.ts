import { describe, expect, it } from '@jest/globals';
import { DataError, shown, shownName, shownShape } from '../../src/util/index.js';

describe('what messages show of values from outside', () => {
  it('is short, on one line, and without control characters', () => {
    expect(shown('cyst')).toBe('"cyst"');
    expect(shown('a\nb\u001b[2J\u202e')).toBe('"a\\nb\\x1b[2J\\u202e"');
    expect(shown('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(200)}… (999,800 more characters)"`);
    expect(shownName('model.\u0007bell')).toBe('model.\\x07bell');
    expect([shown(3), shown(null), shown(undefined), shown(2n ** 70n)]).toEqual(['3', 'null', 'undefined', String(2n ** 70n)]);
  });

  it('never walks through lists and tables, which may hold themselves', () => {
    const circle: unknown[] = [1];
    circle.push(circle);
    expect([shown(circle), shown(new Map([[1, 2]])), shown({})]).toEqual(['a list of 2', 'a table of 1', 'an object']);
    expect(shownShape([2, 3])).toBe('[2, 3]');
    expect(shownShape(Array(1000).fill(1))).toBe(`[${'1, '.repeat(12)}… (1000 sizes)]`);
  });

  it('is cut and cleaned in every error', () => {
    const error = new DataError({
      code: 'E_IMAGE_DAMAGED',
      where: `x${'y'.repeat(5000)}`,
      what: `a\n  b\u001b${'c'.repeat(50_000)}`,
      fix: 'Mend it',
    });
    expect(error.message.length).toBeLessThan(10_000);
    expect(error.message).toMatch(/a\n {2}b\\x1bc+… \([\d,]+ more characters\)\. Mend it$/);
  });
});
