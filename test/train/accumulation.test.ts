import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains, type Sample, vocabularyOf } from '../../src/data/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { type DetectorParts, loadDetector } from '../../src/pretrained/index.js';
import { DetectorTask, runConfigSchema } from '../../src/train/index.js';
import { AdamW, GlobalNorm } from '../../src/train/optim/index.js';
import { takeStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { normalTensor } from '../support/random.js';

useBackend();

/** Float32 sums in another order, through the whole model. */
const TOLERANCE = 2e-5;

/** An optimiser that notes what it is given and changes nothing. */
class Notes extends AdamW {
  readonly gradients = new Map<string, ArrayLike<number>>();
  private readonly paths: Map<unknown, string>;

  constructor(parts: DetectorParts) {
    super([]);
    this.paths = new Map([...parts.model.namedParameters()].map(([path, parameter]) => [parameter, path]));
  }

  override async step(...[gradients]: Parameters<AdamW['step']>): Promise<boolean> {
    for (const [parameter, gradient] of gradients) {
      this.gradients.set(this.paths.get(parameter) as string, gradient.dataSync().slice());
    }
    return true;
  }
}

let parts: DetectorParts;
let samples: Sample[];
beforeAll(async () => {
  parts = await loadDetector('weights/nano-grounding-dino', { random: Rng.seeded(3) });
  // Layers that begin at zero would leave much of the model without a gradient, and equal scores would tie.
  const rng = Rng.seeded(4);
  for (const [, parameter] of parts.model.namedParameters()) {
    parameter.assign(tf.add(parameter.value, normalTensor(parameter.shape, rng, 0.02)));
  }
  const domain = phantomDomains['shifted'] as PhantomDomain;
  const phantoms = new PhantomDataset({ size: 12, seed: 1, width: 64, height: 56, domain });
  const phrases = (await vocabularyOf(phantoms)).slice(0, 4);
  const all = await Promise.all(Array.from({ length: 12 }, (_, i) => phantoms.load(i)));
  const asked = all.map((sample) => ({
    ...sample,
    phrases,
    objects: sample.objects.filter(({ phrase }) => phrases.includes(phrase)),
  }));
  // Images with different numbers of objects, and one without any.
  const counts = [...new Set(asked.map(({ objects }) => objects.length))];
  samples = counts.slice(0, 3).map((count) => asked.find(({ objects }) => objects.length === count) as Sample);
  samples.push({ ...(asked.at(-1) as Sample), objects: [] });
});
afterAll(() => {
  parts.model.dispose();
});

async function stepOf(batches: Sample[][], encoderMatches: number) {
  const criterion = new DetectionCriterion({
    weights: { class: 1, bbox: 10, giou: 1, auxiliary: 1, encoder: 1 },
    costs: { class: 2, bbox: 5, giou: 2 },
    encoderMatches,
  });
  const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
  const { train: config } = runConfigSchema.parse({
    run: { dir: 'unused' },
    data: { format: 'phantom' },
    train: { accumulate: batches.length, clipNorm: 0 },
  });
  const optimiser = new Notes(parts);
  const report = await takeStep(batches, 0, {
    task,
    optimiser,
    ema: undefined,
    norm: new GlobalNorm(),
    config,
    seed: 1,
    totalSteps: 1,
  });
  return { report, gradients: optimiser.gradients };
}

describe('accumulated steps of the detector', () => {
  it.each([1, 3])('are the step of the larger batch, with %d proposals matched to each object', async (encoderMatches) => {
    expect(new Set(samples.map(({ objects }) => objects.length)).size).toBeGreaterThan(2);
    expect(samples.at(-1)?.objects).toEqual([]);
    const whole = await stepOf([samples], encoderMatches);
    const ones = await stepOf(
      samples.map((sample) => [sample]),
      encoderMatches,
    );
    const pairs = await stepOf([samples.slice(0, 2), samples.slice(2)], encoderMatches);
    for (const { report, gradients } of [ones, pairs]) {
      const numbers = ({ total, terms, norm }: typeof report) => [total, norm, ...Object.values(terms)];
      for (const [i, value] of numbers(whole.report).entries())
        expect(relativeError([numbers(report)[i] as number], [value])).toBeLessThan(TOLERANCE);
      expect([...gradients.keys()]).toEqual([...whole.gradients.keys()]);
      const flat = (all: Map<string, ArrayLike<number>>) => [...all.values()].flatMap((values) => Array.from(values));
      expect(relativeError(flat(gradients), flat(whole.gradients))).toBeLessThan(TOLERANCE);
    }
  });
});
