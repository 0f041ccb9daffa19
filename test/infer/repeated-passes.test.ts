import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { canRunGraphs, initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { GroundingDinoPredictor, type MaskPrompts, Sam2ImagePredictor, Segmenter } from '../../src/infer/index.js';
import { type DetectorParts, loadDetector, loadMasker, nanoModels, type Sam2Parts } from '../../src/pretrained/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { itUnless } from '../support/skipped.js';

/* From the fourth pass of the same shapes on, a graph runs in place of the model. */

useBackend();
await initBackend();
const missing = canRunGraphs() ? undefined : 'there are no graphs without the native operations';

let detectorParts: DetectorParts;
let maskerParts: Sam2Parts;
let images: RasterImage[];
beforeAll(async () => {
  detectorParts = await loadDetector(nanoModels.detector);
  maskerParts = (await loadMasker(nanoModels.masker)) as Sam2Parts;
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 4, seed: 5, width: 96, height: 80, domain });
  images = await Promise.all([0, 1, 2, 3].map(async (i) => (await phantoms.load(i)).image));
});
afterAll(() => {
  detectorParts.model.dispose();
  maskerParts.model.dispose();
});
afterEach(() => void jest.restoreAllMocks());

const image = (i: number) => images[i % images.length] as RasterImage;
const detector = () => new GroundingDinoPredictor(detectorParts);
const masker = () => new Sam2ImagePredictor(maskerParts);
/** Low, so that every prompt is answered. */
const LOW = { threshold: 0.02 };
const PHRASES = ['cyst', 'kidney'];

const box = [20, 15, 60, 50] as const;
const PROMPTS: readonly MaskPrompts[] = [
  { boxes: [box] },
  { boxes: [box, [10, 10, 30, 40]] },
  { points: [[[40, 30]]], labels: [[1]] },
  {
    points: [
      [
        [40, 30],
        [5, 5],
      ],
    ],
    labels: [[1, 0]],
    multimask: true,
  },
  { boxes: [box], multimask: true },
];

/** Moves every weight of a model, and back. */
async function withOtherWeights(model: DetectorParts['model'] | Sam2Parts['model'], body: () => Promise<void>): Promise<void> {
  const parameters = [...new Set([...model.namedParameters()].map(([, parameter]) => parameter))];
  const originals = parameters.map(({ value }) => value.clone());
  const assign = (value: (original: tf.Tensor) => tf.Tensor) =>
    tf.tidy(() => {
      for (const [i, parameter] of parameters.entries()) parameter.assign(value(originals[i] as tf.Tensor));
    });
  try {
    assign((original) => tf.mul(original, 1.05));
    await body();
  } finally {
    assign((original) => original);
    tf.dispose(originals);
  }
}

describe('a detector that is asked again and again', () => {
  it('gives the same boxes and scores to the last bit as one that is asked once', async () => {
    const repeated = detector();
    for (let i = 0; i < 5; i++)
      expect(await repeated.detect(image(i), PHRASES, LOW)).toEqual(await detector().detect(image(i), PHRASES, LOW));
    for (const phrase of ['cyst', 'nerve', 'tumor', 'kidney'])
      expect(await repeated.detect(image(0), [phrase], LOW)).toEqual(await detector().detect(image(0), [phrase], LOW));
    repeated.forget();
  });

  itUnless(missing, 'runs its model no more from the fourth image of a size on', async () => {
    const repeated = detector();
    const calls = [jest.spyOn(detectorParts.model, 'encodeImage'), jest.spyOn(detectorParts.model, 'detect')];
    for (let i = 0; i < 5; i++) await repeated.detect(image(i), PHRASES, LOW);
    expect(calls.map(({ mock }) => mock.calls.length)).toEqual([3, 3]);
    await repeated.detect(image(0), ['a prompt of another length'], LOW);
    expect(calls.map(({ mock }) => mock.calls.length)).toEqual([3, 4]);
    repeated.forget();
  });

  it('follows weights that change', async () => {
    const repeated = detector();
    for (let i = 0; i < 4; i++) await repeated.detect(image(i), PHRASES, LOW);
    const before = await repeated.detect(image(3), PHRASES, LOW);
    await withOtherWeights(detectorParts.model, async () => {
      // Other prompts and images, so that nothing is in a cache.
      const own = await repeated.detect({ ...image(3) }, [...PHRASES].reverse(), LOW);
      expect(own).toEqual(await detector().detect(image(3), [...PHRASES].reverse(), LOW));
      expect(own).not.toEqual(before);
    });
    repeated.forget();
  });
});

describe('a masker that is asked again and again', () => {
  it('gives the same logits and scores to the last bit as one that is asked once', async () => {
    const repeated = masker();
    for (let i = 0; i < 5; i++) {
      await repeated.setImage(image(i));
      for (const prompts of PROMPTS) {
        const once = masker();
        await once.setImage(image(i));
        const answers = await repeated.predict(prompts);
        expect(answers).toEqual(await once.predict(prompts));
        const masks = answers.map((answer) => (answer.masks[0] as (typeof answer.masks)[number]).logits);
        expect(await repeated.predict({ ...prompts, masks })).toEqual(await once.predict({ ...prompts, masks }));
        once.forget();
      }
    }
    repeated.forget();
  });

  itUnless(missing, 'runs its model no more from the fourth image, and prompt of a kind, on', async () => {
    const repeated = masker();
    const calls = [jest.spyOn(maskerParts.model, 'encodeImage'), jest.spyOn(maskerParts.model, 'decodeMasks')];
    for (let i = 0; i < 5; i++) {
      await repeated.setImage(image(i));
      await repeated.predict({ boxes: [box] });
    }
    expect(calls.map(({ mock }) => mock.calls.length)).toEqual([3, 3]);
    await repeated.predict({ boxes: [box, box] });
    expect(calls.map(({ mock }) => mock.calls.length)).toEqual([3, 4]);
    repeated.forget();
  });

  it('follows weights that change', async () => {
    const repeated = masker();
    const ask = async (own: Sam2ImagePredictor, i: number) => {
      await own.setImage({ ...image(i) });
      return own.predict({ boxes: [box] });
    };
    for (let i = 0; i < 4; i++) await ask(repeated, i);
    const before = await ask(repeated, 3);
    await withOtherWeights(maskerParts.model, async () => {
      const own = await ask(repeated, 3);
      expect(own).toEqual(await ask(masker(), 3));
      expect(own).not.toEqual(before);
    });
    repeated.forget();
  });

  it('holds no more tensors with each prompt, and none after it forgets', async () => {
    const repeated = masker();
    expect(
      await leakOf(async () => {
        await repeated.setImage(image(0));
        for (let i = 0; i < 4; i++) expect(await leakOf(() => repeated.predict({ boxes: [box] }))).toBe(0);
        repeated.forget();
      }),
    ).toBe(0);
  });
});

describe('a segmenter', () => {
  it('answers several requests at once as one after another, while graphs are made', async () => {
    const segment = (own: Segmenter, i: number) => own.segment(image(i), PHRASES, { ...LOW, select: 'best-per-phrase' });
    const expected: unknown[] = [];
    for (let i = 0; i < 5; i++) expected.push(await segment(new Segmenter(detector(), masker()), i));
    const shared = new Segmenter(detector(), masker());
    for (let round = 0; round < 2; round++)
      expect(await Promise.all([0, 1, 2, 3, 4].map((i) => segment(shared, i)))).toEqual(expected);
  });
});
