import { describe, expect, it } from '@jest/globals';
import { printable } from '../../src/util/index.js';

describe('printable', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['\u009b2J', '\\x9b2J'],
    ['a\nerror: b', 'a\\nerror: b'],
    ['over\rwritten\b\u007f', 'over\\rwritten\\x08\\x7f'],
    ['a\tb', 'a\\tb'],
    ['scan\u202egnp.exe', 'scan\\u202egnp.exe'],
    ['\u2066a\u2069 \u200fb \u061cc', '\\u2066a\\u2069 \\u200fb \\u061cc'],
    ['a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ])('escapes terminal control characters: %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves letters of all languages alone', () => {
    for (const text of ['Müller – 甲状腺 결절 узел', 'نودل', '👩‍⚕️', 'C:\\scans\\a.png']) expect(printable(text)).toBe(text);
  });
});
