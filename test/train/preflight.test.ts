import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type Dataset, PhantomDataset, type PhantomDomain, phantomDomains, type Sample } from '../../src/data/index.js';
import { adaptersIn, applyLora, type LoraSpec, loraPresets } from '../../src/lora/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { type DetectorParts, loadDetector } from '../../src/pretrained/index.js';
import { DetectorTask, preflight } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';

useBackend();

const data = new PhantomDataset({ size: 4, seed: 8, width: 64, height: 64, domain: phantomDomains['standard'] as PhantomDomain });
const criterion = new DetectionCriterion({
  weights: { class: 1, bbox: 10, giou: 1, auxiliary: 0, encoder: 0 },
  costs: { class: 2, bbox: 5, giou: 2 },
});
const lines: string[] = [];
const logger = { info: (line: string) => lines.push(line), warn: () => {} };

let parts: DetectorParts;
beforeEach(async () => {
  lines.length = 0;
  parts = await loadDetector('weights/nano-grounding-dino');
});
afterEach(() => {
  parts.model.dispose();
});

const task = () => new DetectorTask({ ...parts, criterion, save: async () => {} });
const valuesOf = async () =>
  Promise.all(
    [...parts.model.namedParameters()].map(async ([, parameter]) => Buffer.from((await parameter.value.data()).buffer)),
  );

describe('preflight', () => {
  it.each(['paper', 'paper-code'])('passes the dataset %s and leaves every weight unchanged, bit for bit', async (name) => {
    applyLora(parts.model, loraPresets[name] as LoraSpec, Rng.seeded(1));
    const before = await valuesOf();
    expect(await leakOf(() => preflight(task(), data, 5, logger))).toBe(0);
    expect((await valuesOf()).every((bytes, i) => bytes.equals(before[i] as Buffer))).toBe(true);
    const count = adaptersIn(parts.model).length;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^preflight: ${count} adapters and \\d fully trained layers receive gradients`));
  });

  it('names adapters that nothing leads to, and layers that are trained whole without an effect', async () => {
    const spec = { rank: 2, alpha: 2, targetModules: ['model.decoder.layers.*.fc1', 'model.enc_output'] };
    const modulesToSave = ['model.encoder_output_bbox_embed', 'bbox_embed.*'];
    applyLora(parts.model, { ...spec, modulesToSave }, Rng.seeded(1));
    const before = await valuesOf();
    const error = await preflight(task(), data, 5, logger).catch((thrown: unknown) => thrown as Error);
    // Without a loss on the encoder's proposals the first stage is detached.
    expect((error as Error).message).toContain('train.preflight');
    expect((error as Error).message).toContain('model.enc_output, ');
    expect((error as Error).message).toContain('model.encoder_output_bbox_embed.layers.0');
    expect((error as Error).message).not.toMatch(/decoder\.layers|, bbox_embed/);
    expect((await valuesOf()).every((bytes, i) => bytes.equals(before[i] as Buffer))).toBe(true);
  });

  it('stops when the adapters are switched off, or a gradient is not finite', async () => {
    applyLora(parts.model, { rank: 2, alpha: 2, targetModules: ['model.text_projection'] }, Rng.seeded(1));
    const [adapter] = adaptersIn(parts.model);
    if (adapter === undefined) throw new Error('no adapter');
    adapter.module.strength = 0;
    await expect(preflight(task(), data, 5, logger)).rejects.toThrow('the adapters do not change the loss');
    adapter.module.strength = 1;
    const broken = task();
    const step = broken.step.bind(broken);
    broken.step = async (samples, rng) => {
      const { gradients, ...rest } = await step(samples, rng);
      const entries = [...gradients].map(([parameter, gradient]) => [parameter, tf.mul(gradient, Number.NaN)] as const);
      tf.dispose([...gradients.values()]);
      return { ...rest, gradients: new Map(entries) };
    };
    await expect(preflight(broken, data, 5, logger)).rejects.toThrow('model.text_projection get a gradient that is not finite');
  });

  it('looks for an image with objects', async () => {
    const empty = async (i: number): Promise<Sample> => ({ ...(await data.load(i)), objects: [] });
    const late: Dataset = { name: 'late', size: 4, load: (i) => (i < 3 ? empty(i) : data.load(i)) };
    applyLora(
      parts.model,
      { rank: 2, alpha: 2, targetModules: ['model.text_projection'], modulesToSave: ['bbox_embed.*'] },
      Rng.seeded(1),
    );
    await preflight(task(), late, 5, logger);
    const never: Dataset = { name: 'never', size: 4, load: empty };
    await expect(preflight(task(), never, 5, logger)).rejects.toThrow('there is no object in any of its 4 training images');
  });

  it('reports that no image has an object, rather than blaming the trained parameters', async () => {
    const empty: Dataset = {
      name: 'blank',
      size: 70,
      load: async () => ({ ...(await data.load(0)), objects: [] }),
    };
    applyLora(parts.model, loraPresets['paper'] as LoraSpec, Rng.seeded(1));
    await expect(preflight(task(), empty, 5, logger)).rejects.toThrow(
      'data blank: there is no object in any of its 70 training images',
    );
  });

  it('finds the one image with an object however far back it is', async () => {
    const late: Dataset = {
      name: 'late',
      size: 70,
      load: async (index) => ({ ...(await data.load(0)), ...(index < 69 && { objects: [] }) }),
    };
    applyLora(parts.model, loraPresets['paper'] as LoraSpec, Rng.seeded(1));
    await preflight(task(), late, 5, logger);
    expect(lines[0]).toMatch(/^preflight: \d+ adapters/);
  });
});
