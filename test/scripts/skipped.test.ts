import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { skippedName } from '../support/skipped.js';

const { skippedTests, skippedLines } = await import(pathToFileURL(resolve('scripts', 'lib', 'skipped.mjs')).href);

const ROOT = resolve('/project');
const test = (status: string, ...names: readonly string[]) => ({
  status,
  title: names.at(-1),
  ancestorTitles: names.slice(0, -1),
});
const file = (name: string, ...assertionResults: object[]) => ({ name: join(ROOT, 'test', name), assertionResults });

describe('the last lines of npm test', () => {
  it('name each reason for which tests were skipped, with the files and how many, most first', () => {
    const browser = skippedName('there is no Chromium (install one)', 'the page');
    const report = {
      testResults: [
        file('a.test.ts', test('passed', 'x'), test('pending', browser, 'opens'), test('pending', browser, 'inner', 'closes')),
        file('b.test.ts', test('pending', 'kernels (skipped where there is no g++)', 'run'), test('failed', 'y')),
        file('c.test.ts', test('pending', browser, 'z'), test('pending', 'bare'), test('todo', 'later')),
        file('d.test.ts', test('pending', 'ops (skipped, as there are no native operations: why)', 'run')),
      ],
    };
    expect(skippedLines(skippedTests(report, ROOT))).toEqual([
      'skipped, there is no Chromium (install one): test/a.test.ts (2), test/c.test.ts (1)',
      'skipped, no reason is given: test/c.test.ts (2)',
      'skipped, where there is no g++: test/b.test.ts (1)',
      'skipped, there are no native operations: why: test/d.test.ts (1)',
    ]);
  });

  it('say nothing where all ran', () => {
    expect(skippedLines(skippedTests({ testResults: [file('a.test.ts', test('passed', 'x'))] }, ROOT))).toEqual([]);
  });
});
