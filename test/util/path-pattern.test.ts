import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesPattern } from '../../src/util/index.js';
import { property } from '../support/properties.js';

/** The rules written down once more, without regular expressions: does a list of steps fit a list of patterns? */
function fits(path: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first !== '**') return path.length > 0 && fitsStep(path[0] as string, first) && fits(path.slice(1), rest);
  // At the end of a pattern it stands for what lies below: one step or more.
  if (rest.length === 0) return path.length > 0;
  return Array.from({ length: path.length + 1 }, (_, i) => i).some((i) => fits(path.slice(i), rest));
}

function fitsStep(step: string, pattern: string): boolean {
  const choice = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (choice !== null) return (choice[2] ?? '').split(',').some((word) => fitsStep(step, `${choice[1]}${word}${choice[3]}`));
  const star = pattern.indexOf('*');
  if (star < 0) return step === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return (
    step.startsWith(before) &&
    Array.from({ length: step.length + 1 }, (_, i) => i).some((i) => i >= star && fitsStep(step.slice(i), after))
  );
}

const step = fc.constantFrom('a', 'b', 'ab', 'layers', '0', '1', '10', 'q_proj', 'v_proj', 'a-b', 'x+', '(a)', 'a$');
const path = fc.array(step, { minLength: 1, maxLength: 5 });
const patternStep = fc.oneof(
  step,
  fc.constantFrom('*', '**', '{a,b}', '{q,v}_proj', 'a*', '*_proj', '1{0,}', '*{a,b}', 'layers*'),
);
const pattern = fc.array(patternStep, { minLength: 1, maxLength: 5 });

describe('path patterns', () => {
  property(
    'fit the paths that the rules say',
    fc.tuple(path, pattern),
    ([steps, patterns]) => {
      const [text, by] = [steps.join('.'), patterns.join('.')];
      expect([text, by, matchesPattern(text, by)]).toEqual([text, by, fits(steps, patterns)]);
    },
    1000,
  );

  property('fit a path still when some of its steps are left open', fc.tuple(path, fc.nat(), fc.nat(), fc.boolean()), (drawn) => {
    const [steps, from, count, deep] = drawn;
    const at = from % steps.length;
    const open = deep
      ? [...steps.slice(0, at), '**', ...steps.slice(at + 1 + (count % (steps.length - at)))]
      : steps.map((word, i) => (i === at ? '*' : word));
    expect([steps, open, matchesPattern(steps.join('.'), open.join('.'))]).toEqual([steps, open, true]);
  });

  property('that are plain paths fit themselves alone', fc.tuple(path, path), ([one, other]) => {
    expect(matchesPattern(one.join('.'), other.join('.'))).toBe(one.join('.') === other.join('.'));
  });

  it.each([
    ['a.b', 'a', false],
    ['a', 'a.b', false],
    ['xa', 'a', false],
    ['ax', 'a', false],
    ['a.b', '*', false],
    ['a.b', '**', true],
    ['a', '**.a', true],
    ['x.y.a', '**.a', true],
    ['xa', '**.a', false],
    ['a.b', 'a.**', true],
    ['a.b.c', 'a.**', true],
    ['ab', 'a.**', false],
    // What is below a, and not a itself.
    ['a', 'a.**', false],
    ['a.c', 'a.**.c', true],
    ['a.b.b.c', 'a.**.c', true],
    ['axc', 'a.c', false],
    ['model.layers.11.q_proj', 'model.layers.{1,11}.*_proj', true],
    ['model.layers.111.q_proj', 'model.layers.{1,11}.*_proj', false],
  ])('%s by %s: %s', (text, by, expected) => {
    expect(matchesPattern(text, by)).toBe(expected);
  });
});
