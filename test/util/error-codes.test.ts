import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { glob } from 'tinyglobby';
import { errorsPage } from '../../scripts/error-docs.mjs';
import { errorCodes } from '../../src/util/errors/codes.js';

/** Tables of what to type after a code: a code that stands there alone is thrown nowhere. */
const HINTS = ['src/cli/command-hints.ts', 'src/web/worker/server-hints.ts'];

/** The rooms that speak to a person at a terminal or a page. */
const SPEAKING = /^src\/(?:cli|web\/page|web\/worker)\//;

/** A command in any of its forms; in a template its backtick is escaped. */
const COMMAND = /\bnpm run\b|\bnpx sonoground\b|(?:\\|'[^'\n]*)`sonoground [a-z]/;

async function sources(): Promise<(readonly [file: string, code: string])[]> {
  const files = (await glob('src/**/*.ts')).sort();
  return Promise.all(files.map(async (file) => [file, withoutComments(await readFile(file, 'utf8'))] as const));
}

/** Without the lines that are comments. */
function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/\*\*?|\*)/.test(line))
    .join('\n');
}

describe('the table of error codes', () => {
  it('is what docs/errors.md shows', async () => {
    expect(await readFile(join('docs', 'errors.md'), 'utf8')).toBe(errorsPage(errorCodes));
  });

  it('has no code that is thrown nowhere', async () => {
    const throwing = (await sources()).filter(([file]) => file !== 'src/util/errors/codes.ts' && !HINTS.includes(file));
    const text = throwing.map(([, code]) => code).join('\n');
    expect(Object.keys(errorCodes).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  it('describes each code differently, in one sentence', () => {
    const meanings = Object.values(errorCodes).map(({ meaning }) => meaning);
    expect(meanings.filter((meaning, i) => meanings.indexOf(meaning) !== i)).toEqual([]);
    expect(meanings.filter((meaning) => !/^[A-Z][^|\n]*[^.]\.$/.test(meaning) || /\. [A-Z]/.test(meaning))).toEqual([]);
  });
});

describe('the library', () => {
  it('names no command in its messages: it may run in a program, a page or a server', async () => {
    const all = await sources();
    const naming = all.filter(([file, code]) => !SPEAKING.test(file) && COMMAND.test(code));
    expect(naming.map(([file]) => file)).toEqual([]);
    // The rule can fail: those who speak to a person do name them.
    expect(all.filter(([file, code]) => SPEAKING.test(file) && COMMAND.test(code)).length).toBeGreaterThan(3);
  });
});
