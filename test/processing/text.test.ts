import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { collateText, PromptTokenizer } from '../../src/processing/index.js';
import { UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { fixtureJson } from '../support/golden.js';

useBackend();

const NANO = 'weights/nano-grounding-dino';

describe('PromptTokenizer', () => {
  it('encodes phrases with the ids that Grounding DINO knows by number, and says where each phrase is', async () => {
    const tokenizer = await PromptTokenizer.load(NANO);
    const { text, inputIds, phrases } = tokenizer.encode(['Benign  Lesion', 'cyst']);
    expect(text).toBe('benign lesion. cyst.');
    expect(inputIds[0]).toBe(101);
    expect(inputIds.at(-1)).toBe(102);
    expect([inputIds[3], inputIds[5]]).toEqual([1012, 1012]);
    expect(phrases).toEqual([
      { phrase: 'Benign  Lesion', tokens: [1, 2] },
      { phrase: 'cyst', tokens: [4] },
    ]);
  });

  it.each(['xylophone', 'Übermäßig', 'узел', 'q7-z', 'pancreatic cancer liver metastases', 'hypoechoic region in the thyroid?'])(
    'never answers %s with unknown pieces alone',
    async (phrase) => {
      const tokenizer = await PromptTokenizer.load(NANO);
      const { inputIds, phrases } = tokenizer.encode([phrase]);
      const known = phrases[0]?.tokens.filter((token) => inputIds[token] !== 100) ?? [];
      expect(known.length).toBeGreaterThan(0);
    },
  );

  it.each(['tokenizer.json', 'vocab.txt'])('gives the ids of the reference, from %s', async (file) => {
    const dir = await mkdtemp(join(tmpdir(), 'sonoground-text-'));
    await copyFile(join(NANO, file), join(dir, file));
    const tokenizer = await PromptTokenizer.load(dir);
    await rm(dir, { recursive: true });
    const cases = fixtureJson('tokenizer', 'cases.json') as { phrases: string[]; ids: number[] }[];
    for (const { phrases, ids } of cases) expect([...tokenizer.encode(phrases).inputIds]).toEqual(ids);
  });

  it('splits a sentence at dots and lines, and refuses an empty one', () => {
    expect(PromptTokenizer.parsePrompt('benign lesion. cyst.\n Cyst . ')).toEqual(['benign lesion', 'cyst']);
    for (const empty of ['', ' . . ', '\n']) expect(() => PromptTokenizer.parsePrompt(empty)).toThrow(UsageError);
  });

  it('refuses more tokens than the model takes, and no phrase at all', async () => {
    const tokenizer = await PromptTokenizer.load(NANO, 10);
    expect(() => tokenizer.encode(Array.from({ length: 9 }, (_, i) => `cyst ${i}`))).toThrow(/29 tokens, the model takes 10/);
    expect(() => tokenizer.encode([])).toThrow(UsageError);
  });

  it('names the folder without a tokenizer', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sonoground-text-'));
    await expect(PromptTokenizer.load(dir)).rejects.toThrow('there is neither tokenizer.json nor vocab.txt');
    await writeFile(join(dir, 'vocab.txt'), 'cyst\n');
    await expect(PromptTokenizer.load(dir)).rejects.toThrow(/vocab\.txt: the tokenizer cannot be read \(it has no \[CLS\]/);
    await writeFile(join(dir, 'tokenizer.json'), '{');
    await expect(PromptTokenizer.load(dir)).rejects.toThrow(/tokenizer\.json: the tokenizer cannot be read/);
    await rm(dir, { recursive: true });
  });
});

describe('collateText', () => {
  it('pads with zeros to the longest and masks the padding', async () => {
    const tokenizer = await PromptTokenizer.load(NANO);
    const { inputIds, attentionMask } = collateText([tokenizer.encode(['cyst']), tokenizer.encode(['benign lesion', 'cyst'])]);
    expect(inputIds.shape).toEqual([2, 7]);
    expect([...(await attentionMask.data())]).toEqual([1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    expect([...(await inputIds.data())].slice(4, 7)).toEqual([0, 0, 0]);
  });
});
