import { describe, expect, it } from '@jest/globals';
import { linearPattern } from '../../src/util/index.js';

describe('a regular expression from a file', () => {
  it('means what it means in Python, of a whole text', () => {
    const test = linearPattern(String.raw`model\.(decoder|encoder)\.layers\.\d+\..*_proj$`);
    expect(test('model.decoder.layers.11.self_attn.q_proj')).toBe(true);
    expect(test('model.decoder.layers.x.self_attn.q_proj')).toBe(false);
    expect(test('xmodel.decoder.layers.11.self_attn.q_proj')).toBe(false);
    expect(linearPattern('fc[12]')('fc12')).toBe(false);
  });

  it('ends for the patterns that backtracking never finishes', () => {
    const path = `${'model.decoder.layers.0.'.repeat(200)}fc1`;
    for (const source of ['([a-z_.0-9]+)+!', '(a|a)*b', '(.*)*x', '(x+x+)+y', '(.*.*.*.*.*.*)!'])
      expect(linearPattern(source)(path)).toBe(false);
  });

  it.each<[string, string, RegExp]>([
    ['looks ahead', '(?!lm_head).*', /unsupported/],
    ['refers back', String.raw`(a)\1`, /escape/],
    ['is unclosed', '(a', /closing/],
    ['repeats without bounds', 'a{100000}', /more than 99 times/],
    ['nests repetitions', '((a{90}){90}){90}', /repeat/],
    ['is endless', 'a|'.repeat(20_000), /characters/],
  ])('is refused if it %s', (_name, source, message) => {
    expect(() => linearPattern(source)).toThrow(SyntaxError);
    expect(() => linearPattern(source)).toThrow(message);
  });
});
