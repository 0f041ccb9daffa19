import { describe, expect, it } from '@jest/globals';
import type { Sample } from '../../src/data/index.js';
import { AnswerCache, collect, drawSupport, ExemplarMethod, type Support } from '../../src/eval/index.js';
import type { BinaryMask } from '../../src/imaging/index.js';
import type { Exemplar, ExemplarEntry } from '../../src/methods/index.js';
import { useBackend } from '../support/backend.js';
import { datasetOf, object, plain, rectangle, sample } from '../support/eval.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('exemplar-method');

/** A sample whose image is unlike all others, and begins with its number. */
function shot(id: number, phrase: string, rest: Partial<Sample> = {}): Sample {
  const one = sample(String(id), [object(phrase, [id, 2, id + 6, 12])], rest);
  return { ...one, image: { ...one.image, data: one.image.data.map((_, i) => (i === 0 ? id : (i * (id + 2)) % 251)) } };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const ids = (exemplars: readonly Exemplar[] | undefined) => (exemplars ?? []).map(({ image }) => image.data[0]).sort();
const of = ({ exemplars }: Support, phrase: string, dataset = 'toys') => exemplars.get(dataset)?.get(phrase);

/** Predicts the first exemplar's mask, and its half on its own grid. */
function entry(asked: (readonly Exemplar[])[]): ExemplarEntry {
  return {
    name: 'copying',
    title: 'Copying',
    takes: 'exemplars',
    licence: { code: 'none', weights: 'none' },
    weights: { published: 'none' },
    configs: [{}],
    create: async () => ({
      segment: async (_image, exemplars) => {
        asked.push(exemplars);
        const { mask } = exemplars[0] as Exemplar;
        return { mask, ownGrid: { width: 2, height: 1, data: Uint8Array.of(1, 0) } };
      },
      dispose: () => {},
    }),
  };
}

describe('drawing exemplars', () => {
  it('takes the wanted number of each structure from the training split, by the seed', async () => {
    const train = datasetOf([...range(1, 9).map((id) => shot(id, 'cyst')), ...range(9, 14).map((id) => shot(id, 'tumor'))]);
    const test = datasetOf([shot(20, 'cyst'), shot(21, 'tumor')]);
    const draws = await Promise.all([1, 1, 2].map((seed) => drawSupport(train, test, { count: 3, seed })));
    const [first, again, other] = draws as [Support, Support, Support];
    expect(ids(of(first, 'cyst'))).toHaveLength(3);
    for (const id of ids(of(first, 'tumor'))) expect(id).toBeGreaterThanOrEqual(9);
    expect(ids(of(again, 'cyst'))).toEqual(ids(of(first, 'cyst')));
    expect([...ids(of(other, 'cyst')), ...ids(of(other, 'tumor'))]).not.toEqual([
      ...ids(of(first, 'cyst')),
      ...ids(of(first, 'tumor')),
    ]);
    expect(first.evaluated).toBe(test);
    expect(first.notes).toEqual([]);
  });

  it('never draws the image under evaluation as an exemplar, whatever its name', async () => {
    const twin = { ...shot(20, 'cyst'), id: 'another name' };
    const { exemplars } = await drawSupport(datasetOf([twin, shot(1, 'cyst')]), datasetOf([shot(20, 'cyst')]), {
      count: 2,
      seed: 0,
    });
    expect(ids(exemplars.get('toys')?.get('cyst'))).toEqual([1]);
  });

  it('leaves out, by name, an image that equals an exemplar only as the model sees it', async () => {
    const larger = (id: number): Sample => ({
      ...sample(`large ${id}`, [object('cyst', [2, 2, 12, 16])], { file: `large ${id}.png` }),
    });
    const blank = (one: Sample, size: number, level: number): Sample => {
      const image = { width: size, height: size, data: new Uint8Array(3 * size * size).fill(level) };
      const mask = { width: size, height: size, data: new Uint8Array(size * size).fill(1) };
      return { ...one, image, objects: [{ phrase: 'cyst', boxXyxyPx: [0, 0, size, size], mask }] };
    };
    // Both are without contrast, which is all that the model sees.
    const train = datasetOf([blank(shot(1, 'cyst'), 20, 7)]);
    const test = datasetOf([blank(larger(1), 40, 9), shot(20, 'cyst')]);
    const { evaluated, notes } = await drawSupport(train, test, { count: 1, seed: 0, side: 16 });
    expect([evaluated.size, (await evaluated.load(0)).id]).toEqual([1, '20']);
    expect(notes).toEqual([
      '1 of 2 images equal an exemplar at the 16x16 pixels that the model sees and are left out of the scores of every method: large 1.png',
    ]);
  });

  it('for a dataset without training images takes evaluated ones, and leaves them and their copies out of the scores', async () => {
    const copy = { ...shot(3, 'cyst'), id: 'copy' };
    const test = datasetOf([...range(1, 7).map((id) => shot(id, 'cyst')), copy]);
    const support = await drawSupport(datasetOf([]), test, { count: 4, seed: 5 });
    const drawn = ids(of(support, 'cyst'));
    expect(new Set(drawn).size).toBe(4);
    const rest = await Promise.all(range(0, support.evaluated.size).map((i) => support.evaluated.load(i)));
    const left = rest.map(({ image }) => image.data[0]);
    expect(left.filter((id) => drawn.includes(id))).toEqual([]);
    expect(new Set([...left, ...drawn]).size).toBe(6);
    expect(support.notes.join()).toMatch(/^[45] of 7 images serve as exemplars and are left out/);
  });

  it('says where there are fewer than wanted, and refuses where none would be left to evaluate', async () => {
    const { notes } = await drawSupport(datasetOf([shot(1, 'cyst')]), datasetOf([shot(2, 'cyst')]), { count: 16, seed: 0 });
    expect(notes).toEqual(['toys: 1 exemplars of cyst instead of 16']);
    const other = await drawSupport(datasetOf([shot(1, 'tumor')]), datasetOf([shot(2, 'cyst')]), { count: 1, seed: 0 });
    expect(other.notes).toEqual(['toys: no exemplar of cyst, which is therefore not found']);
    expect(of(other, 'cyst')).toEqual([]);
    const few = drawSupport(datasetOf([]), datasetOf([shot(2, 'cyst')]), { count: 1, seed: 0 });
    await expectError(few, { code: 'E_SPLIT_EMPTY', where: 'toys', what: 'all 1 images' });
  });
});

describe('a method that takes exemplars', () => {
  async function open(asked: (readonly Exemplar[])[], name: string): Promise<ExemplarMethod> {
    const train = datasetOf([shot(1, 'cyst'), shot(5, 'tumor')]);
    const support = await drawSupport(train, datasetOf([shot(20, 'cyst'), shot(21, 'tumor')]), { count: 1, seed: 0 });
    const cache = new AnswerCache(`${dir}/${name}`);
    return ExemplarMethod.open({
      entry: entry(asked),
      weights: fixturePath('sam-windows'),
      asPublished: false,
      support,
      count: 1,
      cache,
    });
  }

  it('is asked with the exemplars of the phrase, says how many, and keeps its answer with its own grid', async () => {
    const asked: (readonly Exemplar[])[] = [];
    const method = await open(asked, 'own');
    expect([method.name, method.given, method.scored]).toEqual(['copying (1 exemplar)', '1 exemplar', false]);
    const [answer, ...more] = await method.answer(shot(21, 'tumor'), ['tumor']);
    expect(more).toEqual([]);
    expect(asked.map(ids)).toEqual([[5]]);
    expect(answer).toMatchObject({ phrase: 'tumor', boxXyxyPx: [5, 2, 11, 12], ownGrid: { width: 2, height: 1 } });
    expect(await (await open(asked, 'own')).answer(shot(21, 'tumor'), ['tumor'])).toEqual([answer]);
    expect(asked).toHaveLength(1);
  });

  it('is asked for everything where one phrase stands for all, and for nothing without exemplars of a phrase', async () => {
    const asked: (readonly Exemplar[])[] = [];
    const method = await open(asked, 'words');
    expect((await method.answer(shot(20, 'cyst'), ['lesion'])).map(({ phrase }) => phrase)).toEqual(['lesion']);
    expect((await method.answer(shot(20, 'cyst'), ['cyst', 'spleen'])).map(({ phrase }) => phrase)).toEqual(['cyst']);
  });
});

describe('the grid of the paper’s protocol', () => {
  /** Found in the left half by a method whose own grid is two pixels wide. */
  const half: BinaryMask = { width: 2, height: 1, data: Uint8Array.of(1, 0) };
  const one = sample('a', [object('cyst', [0, 0, 14, 30])]);
  const method = {
    name: 'coarse',
    scored: false,
    answer: async () => [
      { phrase: 'cyst', score: 1, boxXyxyPx: [0, 0, 20, 30] as const, mask: rectangle([0, 0, 20, 30]), ownGrid: half },
    ],
    dispose: async () => {},
  };
  const scores = async (grid: 'image' | 'prediction') => {
    const { rows } = await collect([{ dataset: datasetOf([one]), methods: [method] }], { ...plain, grid });
    return Object.fromEntries(rows.map(({ protocol, dsc, hd95 }) => [protocol, { dsc, hd95 }]));
  };

  it('is the image’s, or the prediction’s with the ground truth resized to it; the strict protocol’s is the image’s', async () => {
    const [image, own] = [await scores('image'), await scores('prediction')];
    const expected = (2 * 14) / (14 + 20);
    expect(image['strict']?.dsc).toBeCloseTo(expected, 6);
    expect(image['paper']?.dsc).toBeCloseTo(expected, 6);
    expect(own['strict']?.dsc).toBeCloseTo(expected, 6);
    // 14 of 20 columns are inside: the pixel's centre is.
    expect(own['paper']).toEqual({ dsc: 1, hd95: Number.NaN });
  });
});

describe('what the weights of a method of exemplars have seen', () => {
  it('is the training splits of the shipped UniverSeg, and unknown for other weights', async () => {
    const support = await drawSupport(datasetOf([shot(1, 'cyst')]), datasetOf([shot(20, 'cyst')]), { count: 1, seed: 0 });
    const seen = async (weights: string) => {
      const cache = new AnswerCache(dir);
      const method = await ExemplarMethod.open({ entry: entry([]), weights, asPublished: false, support, count: 1, cache });
      return ['busi', 'busbra'].map((name) => method.seen(name));
    };
    expect(await seen('weights/universeg-nano')).toEqual(['training split', 'unknown']);
    expect(await seen(fixturePath('universeg', 'published.pt'))).toEqual(['unknown', 'unknown']);
  });
});
