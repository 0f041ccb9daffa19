import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AnswerCache, TextMethod } from '../../src/eval/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import type { TextEntry } from '../../src/methods/index.js';
import { useBackend } from '../support/backend.js';
import { object, rectangle, sample } from '../support/eval.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('text-method');
const SAM = fixturePath('sam-windows');

/** Finds every phrase in the same place. */
function entry(asked: string[], parts?: readonly [string, string], departedBy?: 'authors'): TextEntry {
  return {
    name: 'reading',
    title: 'Reading',
    takes: 'text',
    licence: { code: 'none', weights: 'none' },
    trainedOn: { datasets: ['toys'], source: 'a test' },
    weights: { published: 'none', ...(parts && { parts }) },
    asPublished: 'it is read aloud',
    ...(departedBy && { departedBy }),
    configs: [{}],
    create: async () => {
      const detect = async (_image: unknown, phrases: readonly string[]) => {
        asked.push(...phrases);
        return phrases.map((phrase) => ({ phrase, score: 1, boxXyxyPx: [4, 2, 10, 12] as const }));
      };
      const masker = {
        setImage: async () => {},
        predictBoxes: async () => [{ mask: rectangle([4, 2, 10, 12]), score: 0.25 }],
        dispose() {},
      };
      return new GroundedSegmenter({ detect, dispose() {} }, masker);
    },
  };
}

describe('a method that is given text', () => {
  it('is asked each phrase by itself, once, and says what it is given and whether it saw the dataset', async () => {
    const asked: string[] = [];
    const cache = new AnswerCache(`${dir}/cache`);
    const open = () => TextMethod.open({ entry: entry(asked), weights: SAM, asPublished: false, cache });
    const method = await open();
    expect([method.name, method.given, method.scored]).toEqual(['reading', 'text', false]);
    expect([method.seen('toys'), method.seen('TN3K')]).toEqual(['yes', 'unknown']);
    const one = sample('1', [object('cyst', [4, 2, 10, 12])]);
    const answer = await method.answer(one, ['cyst', 'tumor']);
    expect(answer.map(({ phrase, maskScore }) => [phrase, maskScore])).toEqual([['cyst', 0.25], ['tumor', 0.25]]); // biome-ignore format: one line
    expect(asked).toEqual(['cyst', 'tumor']);
    await (await open()).answer({ ...one, image: { ...one.image } }, ['tumor']);
    expect(asked).toEqual(['cyst', 'tumor']);
    await method.predict(one, ['cyst']);
    expect(asked).toEqual(['cyst', 'tumor', 'cyst']);
    await method.dispose();
  });

  it('has a name, a note and answers of its own in the published form', async () => {
    const asked: string[] = [];
    const cache = new AnswerCache(`${dir}/forms`);
    const forms = await Promise.all(
      [false, true].map((asPublished) => TextMethod.open({ entry: entry(asked), weights: SAM, asPublished, cache })),
    );
    expect(forms.map(({ name }) => name)).toEqual(['reading', 'reading as published']);
    expect(forms.map(({ note }) => note)).toEqual([
      expect.stringMatching(/as its authors run it; .*it is read aloud/),
      expect.stringMatching(/as the published comparison ran it: it is read aloud/),
    ]);
    for (const form of forms) await form.answer(sample('1', [object('cyst', [4, 2, 10, 12])]), ['cyst']);
    expect(asked).toEqual(['cyst', 'cyst']);
  });

  it('is asked again after the tokenizer beside its weights has changed', async () => {
    const [asked, folder] = [[] as string[], join(dir, 'beside')];
    await mkdir(folder);
    await writeFile(join(folder, 'weights.pt'), 'weights');
    const one = sample('1', [object('cyst', [4, 2, 10, 12])]);
    for (const merges of ['a b', 'a b', 'a c']) {
      await writeFile(join(folder, 'merges.txt'), merges);
      const options = { entry: entry(asked), weights: join(folder, 'weights.pt'), asPublished: false };
      await (await TextMethod.open({ ...options, cache: new AnswerCache(`${dir}/tokenizers`) })).answer(one, ['cyst']);
    }
    expect(asked).toEqual(['cyst', 'cyst']);
  });

  it('says of a form that its authors published that it is theirs, not that of the comparison', async () => {
    const options = { entry: entry([], undefined, 'authors'), weights: SAM, cache: new AnswerCache(`${dir}/notes`) };
    const notes = [false, true].map(async (asPublished) => (await TextMethod.open({ ...options, asPublished })).note);
    expect(await Promise.all(notes)).toEqual([
      'corrected; in its authors’ code, it is read aloud',
      'as in its authors’ code: it is read aloud',
    ]);
  });

  it('with random weights is marked, and of several models needs one word for all', async () => {
    const options = { entry: entry([], ['ONE', 'OTHER']), weights: 'random', asPublished: false };
    const method = await TextMethod.open({ ...options, cache: new AnswerCache(dir) });
    expect([method.name, method.untrained, method.seen('toys')]).toEqual(['reading, random weights', true, 'unknown']);
  });

  it('of several models wants the weights of each, and finds all of them', async () => {
    const open = (weights: string) =>
      TextMethod.open({ entry: entry([], ['ONE', 'OTHER']), weights, asPublished: false, cache: new AnswerCache(dir) });
    await expectError(open(SAM), { code: 'E_OPTION_VALUE', where: 'reading', what: 'ONE,OTHER' });
    await expectError(open(`${SAM},./nowhere`), { code: 'E_MODEL_NOT_FOUND', where: 'nowhere' });
    expect((await open(`${SAM},${fixturePath('sam-plain')}`)).name).toBe('reading');
  });
});
