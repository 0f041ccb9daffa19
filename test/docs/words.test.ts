import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { commandGroups, commands } from '../../src/cli/commands.js';
import { nameOf, overview } from '../../src/cli/overview.js';
import { avoidedPhrases, findAvoided, prose, type SourceText } from '../support/avoided-words.js';
import { runCommand } from '../support/command.js';
import { type SourceTexts, sourceTexts } from '../support/source-texts.js';

const GLOSSARY = 'docs/glossary.md';

const phrases = avoidedPhrases(await readFile(GLOSSARY, 'utf8'));

/** Files of the repository, those not committed yet included. */
function files(...patterns: readonly string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...patterns], { encoding: 'utf8' });
  return listed.trim().split('\n');
}

const sources: readonly (readonly [file: string, texts: SourceTexts])[] = await Promise.all(
  files('src/*.ts').map(async (file) => [file, sourceTexts(file, await readFile(file, 'utf8'))] as const),
);

const SAMPLE = `| term | meaning | where | do not use | scope |
| --- | --- | --- | --- | --- |
| cine clip | several frames | \`src\` | film | everywhere |
| false positive | | | false alarm; cr* wolf | docs; docs, cli |
| phantom | | | | |`;

describe('the word list', () => {
  const sample = avoidedPhrases(SAMPLE);
  const found = (text: string) => findAvoided([{ file: 'a.md', line: 3, text }], sample, 'docs');

  it('reads phrases with their scopes', () => {
    expect(sample.map(({ phrase, term, scopes }) => [phrase, term, scopes])).toEqual([
      ['film', 'cine clip', ['docs', 'cli', 'errors']],
      ['false alarm', 'false positive', ['docs']],
      ['cr* wolf', 'false positive', ['docs', 'cli']],
    ]);
    expect(() => avoidedPhrases('| a | | | film; movie; reel | docs; cli |')).toThrow('a scope for each phrase');
    expect(() => avoidedPhrases('| a | | | film | papers |')).toThrow('no scope is called "papers"');
  });

  it('finds a planted word, with its line and the term to use', () => {
    expect(found('A DICOM\nFilm, false-alarm rates\nand false\nalarms; crying wolf')).toEqual([
      'a.md:4: "Film", use "cine clip"',
      'a.md:4: "false-alarm", use "false positive"',
      'a.md:5: "false alarms", use "false positive"',
      'a.md:6: "crying wolf", use "false positive"',
    ]);
    expect(findAvoided([{ file: 'a.ts', line: 1, text: 'a false alarm' }], sample, 'errors')).toEqual([]);
  });

  it('leaves longer words, code and targets of links alone', () => {
    expect(found('filming a filmstrip')).toEqual([]);
    expect(found(prose('a `film`, [clips](films.md)\n\n```\nfilm\n```\n'))).toEqual([]);
    expect(found(prose('```\ncode\n```\n\nfilm\n'))).toEqual(['a.md:7: "film", use "cine clip"']);
  });

  it('tells the sentences of errors from other texts', () => {
    const source = `const a = \`the film \${b('one film')} <b class="film">\`;
      throw new DataError({ what: 'no film here', kind: 'film' });`;
    const { errors, others } = sourceTexts('a.ts', source);
    expect(findAvoided(others, sample, 'cli')).toEqual(Array(2).fill('a.ts:1: "film", use "cine clip"'));
    expect(findAvoided(errors, sample, 'errors')).toEqual(['a.ts:2: "film", use "cine clip"']);
  });
});

describe('words to avoid do not occur in', () => {
  it('the documents', async () => {
    const documents = files('*.md', 'NOTICE').filter((file) => file !== GLOSSARY);
    expect(documents.length).toBeGreaterThan(40);
    const texts = await Promise.all(
      documents.map(async (file): Promise<SourceText> => ({ file, line: 1, text: prose(await readFile(file, 'utf8')) })),
    );
    expect(findAvoided(texts, phrases, 'docs')).toEqual([]);
  });

  it('the help of every command', async () => {
    const texts: SourceText[] = [{ file: 'sonoground --help', line: 1, text: overview(commandGroups, 'npx sonoground') }];
    for (const { command } of commands) {
      const name = nameOf(command);
      const { code, text } = await runCommand([name, '--help']);
      expect([name, code]).toEqual([name, 0]);
      texts.push({ file: `sonoground ${name} --help`, line: 1, text });
    }
    expect(texts.length).toBeGreaterThan(10);
    expect(findAvoided(texts, phrases, 'cli')).toEqual([]);
  });

  it('what commands, reports and pages print', () => {
    const texts = sources.flatMap(([, { others }]) => others);
    expect(texts.length).toBeGreaterThan(300);
    expect(findAvoided(texts, phrases, 'cli')).toEqual([]);
  });

  it('the sentences of errors', () => {
    const texts = sources.flatMap(([, { errors }]) => errors);
    expect(texts.length).toBeGreaterThan(500);
    expect(findAvoided(texts, phrases, 'errors')).toEqual([]);
  });
});
