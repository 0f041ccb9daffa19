import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { GroundingDinoPredictor } from '../../src/infer/index.js';
import { type DetectorParts, loadDetector } from '../../src/pretrained/index.js';
import { PromptTokenizer } from '../../src/prompts/index.js';
import { UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

const WEIGHTS = 'weights/nano-grounding-dino';
/** Low, so that every prompt is answered. */
const options = { threshold: 0.02 };

let parts: DetectorParts;
let images: RasterImage[];
beforeAll(async () => {
  parts = await loadDetector(WEIGHTS);
  const domain = phantomDomains['standard'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 2, seed: 5, width: 96, height: 80, domain });
  images = await Promise.all([0, 1].map(async (i) => (await phantoms.load(i)).image));
});
afterAll(() => void parts.model.dispose());

const [first, second] = [() => images[0] as RasterImage, () => images[1] as RasterImage];

describe('GroundingDinoPredictor', () => {
  it('runs the backbone once an image and the text encoder once a prompt, and answers as without', async () => {
    const predictor = new GroundingDinoPredictor(parts);
    const alone = (image: RasterImage, phrases: string[]) => new GroundingDinoPredictor(parts).detect(image, phrases, options);
    const encodeImage = jest.spyOn(parts.model, 'encodeImage');
    const encodeText = jest.spyOn(parts.model, 'encodeText');
    const a = await predictor.detect(first(), ['cyst', 'kidney'], options);
    const b = await predictor.detect(first(), ['muscle'], options);
    const c = await predictor.detect(second(), ['cyst', 'kidney'], options);
    expect([encodeImage.mock.calls.length, encodeText.mock.calls.length]).toEqual([2, 2]);
    jest.restoreAllMocks();
    expect(a.length).toBeGreaterThan(0);
    expect(a).toEqual(await alone(first(), ['cyst', 'kidney']));
    expect(b).toEqual(await alone(first(), ['muscle']));
    expect(c).toEqual(await alone(second(), ['cyst', 'kidney']));
  });

  it("answers with the caller's own phrases, inside the image, best first", async () => {
    const predictor = new GroundingDinoPredictor(parts);
    const phrases = ['Benign  Lesion', 'cyst wall', 'wall'];
    const found = await predictor.detect(first(), phrases, options);
    expect(found.filter(({ phrase }) => !phrases.includes(phrase))).toEqual([]);
    const outside = found.filter(
      ({ boxXyxyPx: [x0, y0, x1, y1] }) => x0 < 0 || y0 < 0 || x1 > 96 || y1 > 80 || x1 <= x0 || y1 <= y0,
    );
    expect(outside).toEqual([]);
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((p, q) => q - p));
    expect(await predictor.detect(first(), phrases, { threshold: 1 })).toEqual([]);
  });

  it('asks more phrases than one prompt takes in several passes', async () => {
    const short = { ...parts, tokenizer: await PromptTokenizer.load(WEIGHTS, 10) };
    const predictor = new GroundingDinoPredictor(short);
    const phrases = ['cyst', 'kidney', 'benign lesion', 'malignant lesion', 'prostate'];
    const found = await predictor.detect(first(), phrases, options);
    const passes = await Promise.all(
      [
        ['cyst', 'kidney', 'benign lesion'],
        ['malignant lesion', 'prostate'],
      ].map((group) => new GroundingDinoPredictor(parts).detect(first(), group, options)),
    );
    expect(found).toEqual(passes.flat().sort((p, q) => q.score - p.score));
    expect((await predictor.detect(first(), phrases, { ...options, maxDetections: 2 })).length).toBe(2);
    await expect(predictor.detect(first(), ['a very long name of one single thing indeed'], options)).rejects.toThrow(UsageError);
  });

  it('holds no more tensors after 50 calls than after one, and none after its end', async () => {
    const before = tf.memory().numTensors;
    const predictor = new GroundingDinoPredictor(parts);
    await predictor.detect(first(), ['cyst'], options);
    const after = tf.memory().numTensors;
    for (let i = 0; i < 50; i++) await predictor.detect(i % 3 === 0 ? second() : first(), ['cyst'], options);
    expect(tf.memory().numTensors).toBe(after);
    const model = { ...parts, model: Object.create(parts.model, { dispose: { value: () => {} } }) };
    const other = new GroundingDinoPredictor(model);
    for (let i = 0; i < 40; i++) await other.detect(first(), [`cyst ${i}`], options); // more prompts than stay encoded
    other.dispose();
    expect(tf.memory().numTensors).toBe(after);
    expect(after).toBeGreaterThan(before);
  });
});
