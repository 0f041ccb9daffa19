import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { phraseMasks } from '../../src/models/grounding-dino/text-masks.js';
import { collateText } from '../../src/processing/index.js';
import { PromptTokenizer, respelt, splitPrompt } from '../../src/prompts/index.js';
import { UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
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
    'never encodes %s as unknown tokens only',
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
    // A stop or question mark within a phrase is a token of its own there; here it is left out.
    const words = (ids: Iterable<number>) => [...ids].filter((id) => id !== 1012 && id !== 1029);
    for (const { phrases, ids } of cases) expect(words(tokenizer.encode(phrases).inputIds)).toEqual(words(ids));
  });

  it('splits a sentence at dots and lines, and refuses an empty one', () => {
    expect(PromptTokenizer.parsePrompt('benign lesion. cyst.\n Cyst . ')).toEqual(['benign lesion', 'cyst']);
    for (const empty of ['', ' . . ', '\n'])
      expectError(() => PromptTokenizer.parsePrompt(empty), { code: 'E_PROMPT_TEXT', class: UsageError, where: 'prompt' });
  });

  it.each<[string, string[]]>([
    ['BI-RADS 4.a lesion', ['bi-rads 4 a lesion']],
    ['breast lesion.', ['breast lesion']],
    ['breast lesion .', ['breast lesion']],
    ['2.5 cm mass. cyst.', ['2 5 cm mass', 'cyst']],
    ['cyst.. nodule', ['cyst', 'nodule']],
    ['is it a cyst? nodule', ['is it a cyst nodule']],
    ['a\u00a0cyst\u200b.\r\nNodule', ['a cyst', 'nodule']],
    ['e\u0301paule', ['\u00e9paule']],
  ])('splits %j as intended', (text, phrases) => {
    expect(PromptTokenizer.parsePrompt(text)).toEqual(phrases);
  });

  it.each(['BI-RADS 4.a lesion', 'breast lesion.', 'Benign_Lesion', 'solid?', 'lesion (B.I.R.A.D.S)', '1.5 T'])(
    'encodes %j by the tokens of training, all in one phrase',
    async (name) => {
      const tokenizer = await PromptTokenizer.load(NANO);
      const trained = tokenizer.encode([name]);
      const asked = tokenizer.encode(PromptTokenizer.parsePrompt(`${name}. cyst.`).slice(0, 1));
      expect([...asked.inputIds]).toEqual([...trained.inputIds]);
      // Between [CLS] and the stop that closes the phrase nothing else closes one.
      expect(trained.phrases[0]?.tokens).toEqual(Array.from({ length: trained.inputIds.length - 3 }, (_, i) => i + 1));
      const closing = [...trained.inputIds].filter((id) => [101, 102, 1012, 1029].includes(id));
      expect(closing).toEqual([101, 1012, 102]);
    },
  );

  it('lets the words of one phrase see each other, and not those of another', async () => {
    const tokenizer = await PromptTokenizer.load(NANO);
    const prompt = tokenizer.encode(['BI-RADS 4.a lesion', 'cyst']);
    const { selfAttention } = phraseMasks(collateText([prompt]).inputIds);
    const sees = (await selfAttention.array())[0] as number[][];
    const [first, second] = prompt.phrases.map(({ tokens }) => tokens) as [readonly number[], readonly number[]];
    for (const from of first) {
      for (const to of first) expect(sees[from]?.[to]).toBe(1);
      for (const to of second) expect(sees[from]?.[to]).toBe(0);
    }
  });

  it('reads a million stops in a moment', () => {
    const stops = `a${'.'.repeat(1_000_000)}b`;
    expect(PromptTokenizer.parsePrompt(`${stops}. cyst`)).toEqual(['a b', 'cyst']);
    expect(respelt([stops])).toHaveLength(1);
  });

  it('refuses an empty, an overlong and a duplicate phrase by name', async () => {
    const tokenizer = await PromptTokenizer.load(NANO, 12);
    for (const nothing of ['', ' . ', '--', '?!', '\u200b', '\u0007'])
      expectError(() => tokenizer.encode(['cyst', nothing]), { code: 'E_PROMPT_TEXT', where: 'prompt', what: 'holds no word' });
    expectError(() => PromptTokenizer.parsePrompt('cyst. --'), {
      code: 'E_PROMPT_TEXT',
      where: 'prompt',
      what: '"--" holds no word',
    });
    expectError(() => tokenizer.encode(['Cyst.', 'cyst']), {
      code: 'E_PROMPT_DUPLICATE',
      where: 'prompt',
      what: '"Cyst." and "cyst" are the same to the tokenizer',
    });
    const long = 'left upper pole of the kidney of a child';
    expectError(() => tokenizer.check(['cyst', `${long} ${long}`], 'data x'), {
      code: 'E_PROMPT_TOO_LONG',
      where: /^data x/,
      what: /"left upper.*" has \d+ tokens, the model takes 12/,
    });
    expectError(() => tokenizer.check(['na\u00efve', 'naive'], 'data x'), { code: 'E_PROMPT_DUPLICATE', where: 'data x' });
    expect(tokenizer.fits(['cyst', 'nodule'])).toBe(true);
    expect([tokenizer.fits(['cyst', 'Cyst']), tokenizer.fits([long, long])]).toEqual([false, false]);
  });

  it('tells which phrases are not read as they were written', () => {
    expect(respelt(['breast lesion.', 'Cyst', 'cyst', 'BI-RADS 4.a'])).toEqual([
      '"Cyst" and "cyst" are one phrase, "cyst"',
      '"BI-RADS 4.a" is read as "bi-rads 4 a": full stops and question marks inside would divide it',
    ]);
    const many = respelt(Array.from({ length: 30 }, (_, i) => `grade 4.${i}`));
    expect([many.length, many.at(-1)]).toEqual([11, 'and 20 more phrases in the same way']);
    expect(respelt(['.?x'.repeat(3), '--', '...'])).toHaveLength(1);
    expect(splitPrompt('BI-RADS 4.a. Cyst.')).toEqual(['BI-RADS 4.a', 'Cyst']);
  });

  it('refuses more tokens than the model takes, and no phrase at all', async () => {
    const tokenizer = await PromptTokenizer.load(NANO, 10);
    expectError(() => tokenizer.encode(Array.from({ length: 9 }, (_, i) => `cyst ${i}`)), {
      code: 'E_PROMPT_TOO_LONG',
      where: 'prompt',
      what: '29 tokens, the model takes 10',
    });
    expectError(() => tokenizer.encode([]), { code: 'E_PROMPT_TEXT', class: UsageError, where: 'prompt' });
  });

  it('names the folder without a tokenizer', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sonoground-text-'));
    await expectError(PromptTokenizer.load(dir), {
      code: 'E_MODEL_INCOMPLETE',
      what: 'there is neither tokenizer.json nor vocab.txt',
    });
    await writeFile(join(dir, 'vocab.txt'), 'cyst\n');
    await expectError(PromptTokenizer.load(dir), {
      code: 'E_MODEL_DAMAGED',
      where: 'vocab.txt',
      what: 'the tokenizer cannot be read (it has no [CLS]',
    });
    await writeFile(join(dir, 'tokenizer.json'), '{');
    await expectError(PromptTokenizer.load(dir), {
      code: 'E_MODEL_DAMAGED',
      where: 'tokenizer.json',
      what: 'the tokenizer cannot be read',
    });
    await rm(dir, { recursive: true });
  });
});

describe('an untrusted tokenizer', () => {
  const loaded = async (change: (json: Record<string, Record<string, unknown>>) => object) => {
    const dir = await mkdtemp(join(tmpdir(), 'sonoground-text-'));
    const json = JSON.parse(await readFile(join(NANO, 'tokenizer.json'), 'utf8'));
    await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(change(json)));
    try {
      return await PromptTokenizer.load(dir);
    } finally {
      await rm(dir, { recursive: true });
    }
  };
  const slow = { Regex: '(a+)+b' };

  it.each<[string, object, RegExp]>([
    [
      'normalizer',
      { type: 'Replace', pattern: slow, content: '' },
      /normalizer\.type: Replace is not read here, only BertNormalizer/,
    ],
    [
      'normalizer',
      { type: 'Sequence', normalizers: [{ type: 'Replace', pattern: slow, content: '' }] },
      /normalizers\.0\.type: Replace is not/,
    ],
    ['pre_tokenizer', { type: 'Split', pattern: slow, behavior: 'Isolated' }, /pre_tokenizer\.type: Split is not read here/],
    ['pre_tokenizer', { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: slow }] }, /pretokenizers\.0\.type: Split/],
    ['model', { type: 'BPE', vocab: {}, merges: [] }, /model\.type/],
    ['model', { type: 'WordPiece', vocab: { cyst: -1 } }, /model\.vocab\.cyst/],
    [
      'model',
      { type: 'WordPiece', vocab: { '[CLS]': 0, '[SEP]': 1, '[UNK]': 2, '.': 3 } },
      /\[CLS\] is number|its \. is number 3/,
    ],
  ])('with %s = %j is refused by name', async (field, value, message) => {
    await expectError(
      loaded((json) => ({ ...json, [field]: value })),
      { code: 'E_MODEL_DAMAGED', what: message },
    );
  });

  it("with BERT's own steps one by one is read, and patterns that only put pieces together again are left out", async () => {
    const normalizers = ['NFD', 'Lowercase', 'StripAccents'].map((type) => ({ type }));
    const tokenizer = await loaded((json) => ({
      ...json,
      normalizer: { type: 'Sequence', normalizers },
      decoder: { type: 'Replace', pattern: slow, content: '' },
    }));
    const own = await PromptTokenizer.load(NANO);
    expect([...tokenizer.encode(['Benign lesion']).inputIds]).toEqual([...own.encode(['Benign lesion']).inputIds]);
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
