import { expect, it } from '@jest/globals';
import { initBackend } from '../../src/backend/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { loadDetector, nanoModels } from '../../src/pretrained/index.js';
import { DetectorTask, type OptimConfig, runConfigSchema } from '../../src/train/index.js';
import { AdamW, GlobalNorm } from '../../src/train/optim/index.js';
import { trainable } from '../../src/train/run-folder/training-state.js';
import { takeStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { smallPhantoms } from '../support/phantom-files.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

/** A software adapter compiles some two hundred programs at first. */

/** Two steps of it would not do: where a gradient is next to nothing, Adam makes a whole step of its sign. */
const EPS = 1e-3;

const OPTIM: OptimConfig = runConfigSchema.parse({
  run: { dir: 'unused' },
  data: { format: 'phantom' },
  train: { schedule: 'constant', warmupSteps: 0, learningRate: 1e-3 },
}).train;

/** What one LoRA step of the shipped detector came to: loss, norm, how each parameter moved, and how many tensors another leaves. */
async function loraStep(backend: 'webgpu' | 'auto') {
  await initBackend(backend, undefined, 'training');
  const parts = await loadDetector(nanoModels.detector);
  applyLora(parts.model, loraPresets['paper'] as NonNullable<(typeof loraPresets)[string]>, Rng.seeded(1));
  const weights = { class: 1, bbox: 5, giou: 2, auxiliary: 1, encoder: 1 };
  const criterion = new DetectionCriterion({ weights, costs: { class: 2, bbox: 5, giou: 2 } });
  const task = new DetectorTask({ ...parts, criterion, save: async () => {} });
  const parameters = trainable(task);
  const optimiser = new AdamW([{ name: 'all', parameters }], { eps: EPS, weightDecay: OPTIM.weightDecay });
  const valuesOf = () =>
    Promise.all(parameters.map(async ([path, { value }]) => [path, Float32Array.from(await value.data())] as const));
  const samples = [await smallPhantoms.load(0)];
  const step = (i: number) =>
    takeStep([samples], i, { task, optimiser, ema: undefined, norm: new GlobalNorm(), config: OPTIM, seed: 3, totalSteps: 2 });
  const before = await valuesOf();
  const { total, norm } = await step(0);
  const moved = new Map(
    (await valuesOf()).map(([path, values], i) => [path, values.map((value, k) => value - (before[i]?.[1][k] as number))]),
  );
  const leak = await leakOf(() => step(1));
  optimiser.dispose();
  parts.model.dispose();
  return { total, norm, moved, leak };
}

const missing = await webgpuMissing();

describeWebgpu(missing, 'training on WebGPU', () => {
  it('one LoRA step is the one of the CPU, and leaves nothing behind', async () => {
    const expected = await loraStep('auto');
    const actual = await loraStep('webgpu');
    // The tolerance of a whole model, for the loss, for the norm of the gradient and for what AdamW makes of it.
    expect(Math.abs(actual.total - expected.total) / expected.total).toBeLessThan(1e-3);
    expect(Math.abs(actual.norm - expected.norm) / expected.norm).toBeLessThan(1e-3);
    expect([...actual.moved.keys()]).toEqual([...expected.moved.keys()]);
    const joined = (moved: ReadonlyMap<string, Float32Array>) => [...moved.values()].flatMap((values) => [...values]);
    expect(joined(expected.moved).some((change) => Math.abs(change) > 1e-4)).toBe(true);
    expect(relativeError(joined(actual.moved), joined(expected.moved))).toBeLessThan(1e-3);
    expect(actual.leak).toBe(0);
  });
});
