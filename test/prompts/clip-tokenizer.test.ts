import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { clipTokenizerJson } from '../../src/prompts/clip-vocabulary.js';
import { ClipTokenizer } from '../../src/prompts/index.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Cases {
  readonly vocabSize: number;
  readonly cases: readonly { readonly phrase: string; readonly ids: readonly number[] }[];
}

const folder = fixturePath('clip-tokenizer');
const dir = temporaryFolder('clip-tokenizer');
const other = temporaryFolder('clip-tokenizer-other');
const { vocabSize, cases } = fixtureJson('clip-tokenizer', 'cases.json') as Cases;

async function mergesOfFixture(): Promise<[string, string][]> {
  const lines = (await readFile(join(folder, 'merges.txt'), 'utf8')).trim().split('\n').slice(1);
  return lines.map((line) => line.split(' ') as [string, string]);
}

describe('ClipTokenizer', () => {
  it('encodes phrases as the reference does: case, spaces, clitics, digits, accents, other scripts', async () => {
    const tokenizer = await ClipTokenizer.load(folder, { vocabSize, longest: 77 });
    for (const { phrase, ids } of cases) expect([phrase, ...tokenizer.encode(phrase)]).toEqual([phrase, ...ids]);
  });

  it('reads the same from a tokenizer.json, whichever form its merges have', async () => {
    const merges = await mergesOfFixture();
    const whole = clipTokenizerJson(merges) as { model: { merges: unknown } };
    for (const form of [merges, merges.map((merge) => merge.join(' '))]) {
      await writeFile(join(dir, 'tokenizer.json'), JSON.stringify({ ...whole, model: { ...whole.model, merges: form } }));
      const tokenizer = await ClipTokenizer.load(dir, { vocabSize, longest: 77 });
      for (const { phrase, ids } of cases) expect([...tokenizer.encode(phrase)]).toEqual(ids);
    }
  });

  it('never takes the words of a phrase for the tokens around it', async () => {
    const tokenizer = await ClipTokenizer.load(folder, { vocabSize, longest: 77 });
    const ids = [...tokenizer.encode('a <|endoftext|> b')];
    expect(ids.filter((id) => id >= vocabSize - 2)).toEqual([vocabSize - 2, vocabSize - 1]);
    expect(ids.length).toBeGreaterThan(6);
  });

  it('has a token for each byte where there are no merges', () => {
    expect([...ClipTokenizer.ofBytes(77).encode('Ab c')]).toEqual([512, 64, 256 + 65, 256 + 66, 513]);
  });

  it('refuses phrases without words or of too many tokens', async () => {
    const tokenizer = await ClipTokenizer.load(folder, { vocabSize, longest: 6 });
    await expectError(() => tokenizer.encode(' \t'), { code: 'E_PROMPT_TEXT', where: 'prompt' });
    await expectError(() => tokenizer.encode('fetal head fetal head fetal head'), {
      code: 'E_PROMPT_TOO_LONG',
      what: '8 tokens, the model takes 6',
    });
  });

  it('names the file that is missing, damaged, or of another vocabulary', async () => {
    const load = () => ClipTokenizer.load(other, { vocabSize, longest: 77 });
    await expectError(load(), { code: 'E_MODEL_INCOMPLETE', what: 'neither tokenizer.json nor merges.txt' });
    await writeFile(join(other, 'merges.txt'), '#version: 0.2\na b\nabc\n');
    await expectError(load(), { code: 'E_MODEL_DAMAGED', where: 'merges.txt', what: 'merge 2: expected two pieces, got "abc"' });
    await writeFile(join(other, 'merges.txt'), 'a b\n');
    await expectError(load(), { code: 'E_MODEL_DAMAGED', what: `its vocabulary has 515 tokens, the model's ${vocabSize}` });
    await writeFile(join(other, 'tokenizer.json'), '{"model": {"type": "WordPiece", "vocab": {}}}');
    await expectError(load(), { code: 'E_MODEL_DAMAGED', where: 'tokenizer.json', what: 'model.type' });
    await writeFile(join(other, 'tokenizer.json'), '{"model": {"vocab": {"!": 1}, "merges": []}}');
    await expectError(load(), { code: 'E_MODEL_DAMAGED', what: /its "." is number none, where CLIP has/ });
  });
});
