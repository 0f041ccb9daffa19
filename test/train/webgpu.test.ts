import { expect, it, jest } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundedSegmenter, loadDetector, shippedModels } from '../../src/infer/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { maskArea } from '../../src/processing/index.js';
import { DetectorTask } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

/** A software adapter compiles some two hundred programs at first. */
jest.setTimeout(900_000);

const phantoms = new PhantomDataset({
  size: 2,
  seed: 1,
  width: 64,
  height: 56,
  domain: phantomDomains['shifted'] as PhantomDomain,
});

/** The loss and the gradients of one LoRA step of the shipped detector, by path, and how many tensors a second one leaves. */
async function loraStep(backend: 'webgpu' | 'auto') {
  await initBackend(backend, undefined, 'training');
  const parts = await loadDetector(shippedModels.detector);
  applyLora(parts.model, loraPresets['paper'] as NonNullable<(typeof loraPresets)[string]>, Rng.seeded(1));
  const weights = { class: 1, bbox: 5, giou: 2, auxiliary: 1, encoder: 1 };
  const criterion = new DetectionCriterion({ weights, costs: { class: 2, bbox: 5, giou: 2 } });
  const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
  const samples = [await phantoms.load(0)];
  const step = () => task.step(samples, Rng.seeded(3));
  const { gradients, total } = await step();
  const paths = new Map([...parts.model.namedParameters()].map(([path, parameter]) => [parameter, path]));
  const values = new Map<string, Float32Array>();
  for (const [parameter, gradient] of gradients)
    values.set(paths.get(parameter) as string, (await gradient.data()) as Float32Array);
  tf.dispose([...gradients.values()]);
  const leak = await leakOf(async () => tf.dispose([...(await step()).gradients.values()]));
  parts.model.dispose();
  return { total, values, leak };
}

/** Found at boxes, areas of masks and scores. */
async function segment(backend: 'webgpu' | 'auto') {
  await initBackend(backend, undefined, 'training');
  const segmenter = await GroundedSegmenter.load();
  const { image, phrases } = await phantoms.load(1);
  const find = () => segmenter.segment(image, phrases, { scoreThreshold: 0.02, maxDetections: 2 });
  const found = await find();
  const leak = await leakOf(find);
  segmenter.dispose();
  return { found, leak };
}

const missing = await webgpuMissing();

describeWebgpu(missing, 'on WebGPU', () => {
  it('one LoRA step is the one of the CPU, and leaves nothing behind', async () => {
    const expected = await loraStep('auto');
    const actual = await loraStep('webgpu');
    expect(Math.abs(actual.total - expected.total) / expected.total).toBeLessThan(1e-3);
    expect([...actual.values.keys()]).toEqual([...expected.values.keys()]);
    // All gradients as one vector: relative to the largest of them, as a whole model.
    const joined = (values: ReadonlyMap<string, Float32Array>) => [...values.values()].flatMap((gradient) => [...gradient]);
    expect(joined(expected.values).some((number) => Math.abs(number) > 1e-3)).toBe(true);
    expect(relativeError(joined(actual.values), joined(expected.values))).toBeLessThan(1e-3);
    expect(actual.leak).toBe(0);
  });

  it('an image is segmented as on the CPU, and nothing is left behind', async () => {
    const expected = await segment('auto');
    const actual = await segment('webgpu');
    expect(expected.found.length).toBeGreaterThan(0);
    expect(actual.found.map(({ phrase }) => phrase)).toEqual(expected.found.map(({ phrase }) => phrase));
    for (const [i, { boxXyxyPx, score, mask }] of actual.found.entries()) {
      const other = expected.found[i] as (typeof expected.found)[number];
      expect(Math.abs(score - other.score)).toBeLessThan(1e-4);
      expect(relativeError(boxXyxyPx, other.boxXyxyPx)).toBeLessThan(1e-3);
      expect(Math.abs(maskArea(mask) - maskArea(other.mask))).toBeLessThanOrEqual(2); // pixels on the edge of a mask
    }
    expect(actual.leak).toBe(0);
  });
});
