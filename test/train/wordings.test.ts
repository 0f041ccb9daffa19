import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { loadWordings, PhantomDataset, type PhantomDomain, phantomDomains, type Sample } from '../../src/data/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { loadDetector } from '../../src/pretrained/index.js';
import { DetectorTask, withWordings } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

const of = await loadWordings();
const all = () => true;
const sample = (dataset: string, phrases: readonly string[]): Sample => {
  const objects = phrases.slice(0, 1).map((phrase) => ({ phrase }) as Sample['objects'][number]);
  return { id: 'a', dataset, image: {} as Sample['image'], objects, phrases };
};

describe('other wordings', () => {
  it('are the synonyms of a dataset and its sentences, and nothing of the prompt study', () => {
    const wordings = of('kidneyUS', 'kidney cortex');
    expect(wordings).toEqual(expect.arrayContaining(['renal cortex', 'segment the kidney cortex', 'outline the renal cortex']));
    expect(wordings).not.toContain('kidney cortex');
    expect(wordings).not.toContain('cortical region of the kidney');
    expect(of('STU', 'tumor')).toContain('breast mass');
    expect(of('stu', 'kidney cortex')).toEqual([]);
    expect(of('my-own', 'breast lesion')).toEqual([]);
  });

  it('stand in for the phrases of the given share of images, in prompt and objects alike', () => {
    const own = sample('busi', ['benign', 'malignant', 'cyst']);
    const draw = (seed: number, share: number) => withWordings(own, { share, of }, Rng.seeded(seed), all);
    const draws = Array.from({ length: 200 }, (_, seed) => draw(seed, 0.5));
    for (const [seed, { phrases, objects }] of draws.entries()) {
      expect(draw(seed, 0.5).phrases).toEqual(phrases);
      expect(phrases).toHaveLength(3);
      expect([...of('busi', 'benign'), 'benign']).toContain(phrases[0]);
      expect([...of('busi', 'malignant'), 'malignant']).toContain(phrases[1]);
      expect(phrases[2]).toBe('cyst');
      expect(objects).toEqual([{ phrase: phrases[0] }]);
    }
    const changed = draws.filter(({ phrases }) => phrases[0] !== 'benign').length;
    expect(changed / draws.length).toBeGreaterThan(0.4);
    expect(changed / draws.length).toBeLessThan(0.6);
    expect(new Set(draws.map(({ phrases }) => phrases[0])).size).toBeGreaterThan(8);
    expect(draw(1, 0)).toBe(own);
  });

  it('never make two phrases the same, nor a prompt too long', () => {
    const alike = () => ['Breast mass'];
    const own = sample('stu', ['breast lesion', 'breast tumor']);
    const said = withWordings(own, { share: 1, of: alike }, Rng.seeded(1), all).phrases;
    expect(said).toEqual(['Breast mass', 'breast tumor']);
    const short = (phrases: readonly string[]) => phrases.join().length <= 'breast lesion,breast tumor'.length;
    const wordy = () => ['a very long way to say it'];
    expect(withWordings(own, { share: 1, of: wordy }, Rng.seeded(1), short).phrases).toEqual(own.phrases);
  });

  it('change the prompts of training, but not of validation', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const domain = phantomDomains['standard'] as PhantomDomain;
    const phantoms = new PhantomDataset({ size: 2, seed: 4, width: 64, height: 64, domain });
    const samples = await Promise.all([phantoms.load(0), phantoms.load(1)]);
    const criterion = new DetectionCriterion({
      weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
      costs: { class: 2, bbox: 5, giou: 2 },
    });
    const lossOf = async (share: number) => {
      const wordings = { share, of: (_: string, phrase: string) => [`the ${phrase}`] };
      const task = new DetectorTask({ ...parts, criterion, save: async () => {}, wordings });
      const { total, gradients } = await task.step(samples, Rng.seeded(2));
      tf.dispose([...gradients.values()]);
      return { step: total, loss: (await task.loss(samples)).total };
    };
    const [plain, reworded] = [await lossOf(0), await lossOf(1)];
    expect(reworded.step).not.toBe(plain.step);
    expect(reworded.loss).toBe(plain.loss);
    parts.model.dispose();
  });
});
