import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  ConcatDataset,
  PhantomDataset,
  type PhantomDomain,
  phantomDomains,
  type Sample,
  Subset,
  vocabularyOf,
} from '../../src/data/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { loadDetector } from '../../src/pretrained/index.js';
import { DetectorTask, withNegatives } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

const data = new PhantomDataset({ size: 3, seed: 4, width: 64, height: 64, domain: phantomDomains['standard'] as PhantomDomain });
const sample = (phrases: string[]): Sample => ({ id: 'a', dataset: 'b', image: {} as Sample['image'], objects: [], phrases });
const vocabulary = ['benign breast lesion', 'thyroid nodule', 'kidney cortex', 'lesion', 'prostate', 'muscle'];
const all = () => true;

describe('withNegatives', () => {
  it('adds phrases of other things, the same for the same seed, and shuffles', () => {
    const own = sample(['breast lesion', 'cyst']);
    const draw = (seed: number) => withNegatives(own, { share: 1, most: 2, vocabulary }, Rng.seeded(seed), all).phrases;
    const draws = Array.from({ length: 60 }, (_, seed) => draw(seed));
    for (const [seed, phrases] of draws.entries()) {
      expect(draw(seed)).toEqual(phrases);
      expect(phrases).toEqual(expect.arrayContaining(['breast lesion', 'cyst']));
      expect(new Set(phrases).size).toBe(phrases.length);
      expect([3, 4]).toContain(phrases.length);
      // Wider and narrower names of what is there are no negatives.
      expect(phrases).not.toContain('lesion');
      expect(phrases).not.toContain('benign breast lesion');
    }
    expect(new Set(draws.flat()).size).toBe(2 + 4);
    expect(new Set(draws.map(([first]) => first)).size).toBeGreaterThan(3);
  });

  it('takes no phrase that the settings call related', () => {
    const own = sample(['cyst']);
    const related = [
      ['cyst', 'lesion', 'benign breast lesion'],
      ['cyst', 'muscle'],
      ['prostate', 'thyroid nodule'],
    ];
    const drawn = Array.from({ length: 60 }, (_, seed) => {
      return withNegatives(own, { share: 1, most: 6, vocabulary, related }, Rng.seeded(seed), all).phrases;
    });
    expect(new Set(drawn.flat())).toEqual(new Set(['cyst', 'thyroid nodule', 'kidney cortex', 'prostate']));
  });

  it('replaces the prompt by negatives for a share of these images, without their objects', () => {
    const own = { ...sample(['cyst']), objects: [{ phrase: 'cyst' } as Sample['objects'][number]] };
    const draws = Array.from({ length: 400 }, (_, seed) => {
      return withNegatives(own, { share: 0.5, most: 2, alone: 0.4, vocabulary }, Rng.seeded(seed), all);
    });
    const replaced = draws.filter(({ phrases }) => !phrases.includes('cyst'));
    expect(replaced.length / 400).toBeGreaterThan(0.14);
    expect(replaced.length / 400).toBeLessThan(0.26);
    for (const { phrases, objects } of draws) {
      expect(phrases.length).toBeGreaterThan(0);
      expect(objects).toEqual(phrases.includes('cyst') ? own.objects : []);
    }
    // Without a candidate, or where none fits, the image keeps what it shows.
    for (const [words, fits] of [[['cyst'], all] as const, [vocabulary, () => false] as const]) {
      expect(withNegatives(own, { share: 1, most: 2, alone: 1, vocabulary: words }, Rng.seeded(1), fits)).toEqual(own);
    }
    // Where it is off, the draws are those of a run without the setting.
    const without = { share: 1, most: 2, vocabulary };
    expect(withNegatives(own, { ...without, alone: 0 }, Rng.seeded(7), all)).toEqual(
      withNegatives(own, without, Rng.seeded(7), all),
    );
  });

  it('does so for the given share of images, and only as far as the prompt fits', () => {
    const own = sample(['cyst']);
    const counts = (share: number, fits: (phrases: readonly string[]) => boolean) =>
      Array.from({ length: 400 }, (_, seed) => {
        return withNegatives(own, { share, most: 3, vocabulary }, Rng.seeded(seed), fits).phrases.length;
      });
    const some = counts(0.25, all).filter((length) => length > 1).length;
    expect(some / 400).toBeGreaterThan(0.18);
    expect(some / 400).toBeLessThan(0.32);
    expect(counts(0, all).every((length) => length === 1)).toBe(true);
    expect(Math.max(...counts(1, (phrases) => phrases.length <= 2))).toBe(2);
  });
});

describe('vocabularyOf', () => {
  it('asks a dataset that knows its phrases, and reads one that does not', async () => {
    const known = { name: 'known', size: 9, phrases: ['a', 'b', 'a'], load: () => Promise.reject(new Error('loaded')) };
    expect(await vocabularyOf(new Subset(known, [2]))).toEqual(['a', 'b']);
    const phrases = await Promise.all([0, 1, 2].map(async (i) => (await data.load(i)).phrases));
    expect(await vocabularyOf(data)).toEqual([...new Set(phrases.flat())]);
  });

  it('reads of several datasets only those that do not know their phrases', async () => {
    const known = { name: 'known', size: 9, phrases: ['a', 'b'], load: () => Promise.reject(new Error('loaded')) };
    expect(await vocabularyOf(new ConcatDataset('both', [known, data]))).toEqual(['a', 'b', ...(await vocabularyOf(data))]);
  });
});

describe('the detector task', () => {
  const criterion = new DetectionCriterion({
    weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
    costs: { class: 2, bbox: 5, giou: 2 },
  });

  it('trains with prompts of different length in a batch, negatives and an image without objects', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const negatives = { share: 1, most: 3, vocabulary };
    const task = new DetectorTask({ ...parts, criterion, save: async () => {}, negatives });
    const [first, second] = (await Promise.all([data.load(0), data.load(1)])) as [Sample, Sample];
    const batch = [first, { ...second, objects: [] }];
    const steps = await Promise.all([1, 1].map(() => task.step(batch, Rng.seeded(3))));
    expect(steps[0]?.total).toBe(steps[1]?.total);
    for (const { total, terms, gradients } of steps) {
      expect([total, ...Object.values(terms)].every(Number.isFinite)).toBe(true);
      for (const gradient of gradients.values()) expect([...(await gradient.data())].every(Number.isFinite)).toBe(true);
      tf.dispose([...gradients.values()]);
    }
    parts.model.dispose();
  });

  it('divides by the objects that the prompts still ask for', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const batch = await Promise.all([0, 1].map((i) => data.load(i)));
    const objects = batch.reduce((sum, one) => sum + one.objects.length, 0);
    expect(objects).toBeGreaterThan(1);
    for (const [alone, expected] of [
      [0, objects],
      [1, 0],
    ] as const) {
      const negatives = { share: 1, most: 1, alone, vocabulary: ['bladder wall'] };
      const task = new DetectorTask({ ...parts, criterion, save: async () => {}, negatives });
      const { gradients, normaliser, terms } = await task.step(batch, Rng.seeded(3));
      expect(normaliser).toBe(expected);
      expect((terms['bbox'] ?? 0) > 0).toBe(expected > 0);
      tf.dispose([...gradients.values()]);
    }
    parts.model.dispose();
  });

  it('learns from a batch that shows nothing to answer no', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
    const empty = { ...(await data.load(0)), objects: [] };
    const { total, terms, gradients } = await task.step([empty], Rng.seeded(3));
    expect(total).toBeGreaterThan(0);
    expect([terms['bbox'], terms['giou']]).toEqual([0, 0]);
    expect(gradients.size).toBeGreaterThan(100);
    for (const gradient of gradients.values()) expect([...(await gradient.data())].every(Number.isFinite)).toBe(true);
    tf.dispose([...gradients.values()]);
    parts.model.dispose();
  });

  it('gives a batch of different prompts the loss of its images, each by its own objects', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
    const samples = await Promise.all([0, 1, 2].map((i) => data.load(i)));
    // As many tokens in each prompt, so that padding plays no part; other words at the same places.
    const renamed = samples.map((one, i) => {
      const names = new Map(
        one.phrases.map((phrase, k) => [phrase, ['cyst', 'muscle', 'kidney', 'prostate'][(k + i) % 4] ?? '']),
      );
      const objects = one.objects.slice(0, 1).map((object) => ({ ...object, phrase: names.get(object.phrase) ?? '' }));
      const phrases = [...new Set([...objects.map(({ phrase }) => phrase), 'mass', 'tumor'])];
      return { ...one, objects, phrases: i === 1 ? [...phrases].reverse() : phrases };
    });
    const whole = await task.loss(renamed);
    const alone = await Promise.all(renamed.map((one) => task.loss([one])));
    const mean = alone.reduce((sum, { total }) => sum + total, 0) / renamed.length;
    expect(renamed.every(({ objects }) => objects.length === 1)).toBe(true);
    expect(Math.abs(whole.total / mean - 1)).toBeLessThan(1e-3);
    parts.model.dispose();
  });
});
