import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains, type Sample } from '../../src/data/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { CapturedPasses } from '../../src/nn/captured-passes.js';
import { type ForwardContext, TrainingPasses } from '../../src/nn/index.js';
import { type DetectorParts, loadDetector, loadSam2Masker, type Sam2Parts } from '../../src/pretrained/index.js';
import { collateText } from '../../src/processing/index.js';
import { DetectorTask, MaskerTask, runConfigSchema, type TrainTask, train } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { readSafetensors } from '../../src/weights/formats/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { itUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();
const missing = notNative(await initBackend());

/**
 * Relative to a parameter's largest gradient, or to the smallest that counts: gradients that are zero but for rounding, as those of
 * the biases of keys in attention, have no digit in common.
 */
const TOLERANCE = 2e-4;
const NOISE = 1e-6;

const dir = temporaryFolder('capture');

const domain = phantomDomains['standard'] as PhantomDomain;
const phantoms = (size: number, seed: number) => new PhantomDataset({ size, seed, width: 64, height: 56, domain });
const samplesOf = (seed: number, count: number): Promise<Sample[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => phantoms(count, seed).load(i)));

const detectorTask = (parts: DetectorParts, capture: boolean, cells = 0) =>
  new DetectorTask({
    ...parts,
    capture,
    criterion: new DetectionCriterion({
      weights: { class: 1, bbox: 5, giou: 2, auxiliary: 1, encoder: 1, cells },
      costs: { class: 2, bbox: 5, giou: 2 },
      encoderMatches: 2,
    }),
    save: (to) => saveCheckpoint(parts.model, join(to, 'model.safetensors')),
  });
const maskerTask = (parts: Sam2Parts, capture: boolean) => new MaskerTask({ ...parts, capture, save: async () => {} });

/** Both ways of computing a step, with the same model. */
async function expectSameSteps(eager: TrainTask, captured: TrainTask, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const samples = await samplesOf(seed, 3);
    const [expected, actual] = [await eager.step(samples, Rng.seeded(seed)), await captured.step(samples, Rng.seeded(seed))];
    expect(relativeError([actual.total], [expected.total])).toBeLessThan(1e-5);
    expect(new Set(actual.gradients.keys())).toEqual(new Set(expected.gradients.keys()));
    for (const [parameter, gradient] of expected.gradients) {
      const wanted = await gradient.data<'float32'>();
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const found = await (actual.gradients.get(parameter) as tf.Tensor).data<'float32'>();
      if (largest > NOISE) expect(relativeError(found, wanted)).toBeLessThan(TOLERANCE);
      else expect(found.every((value) => Math.abs(value) < 10 * NOISE)).toBe(true);
    }
    tf.dispose([...expected.gradients.values(), ...actual.gradients.values()]);
  }
}

describe('training steps as graphs', () => {
  itUnless(missing, 'give the loss and gradients of single operations, for the detector and prompts of any length', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const captured = detectorTask(parts, true);
    await expectSameSteps(detectorTask(parts, false), captured, [1, 2, 3]);
    captured.dispose();
  });

  itUnless(missing, 'give the loss and gradients of single operations, with a loss over cells', async () => {
    const parts = await loadDetector('weights/nano-grounding-dino');
    const captured = detectorTask(parts, true, 20);
    await expectSameSteps(detectorTask(parts, false, 20), captured, [4]);
    captured.dispose();
  });

  itUnless(
    missing,
    'give the loss and gradients of single operations, for the masker with one mask and with several',
    async () => {
      const parts = await loadSam2Masker('weights/nano-sam2');
      const captured = maskerTask(parts, true);
      // By the draws of these seeds, one mask and several are asked for. With seed 3, two values within a window of Hiera's pooled
      // queries are equal but for rounding, and the gradient of one channel takes another way.
      await expectSameSteps(maskerTask(parts, false), captured, [1, 2, 4, 5]);
      captured.dispose();
    },
  );

  itUnless(missing, 'have the bits of single operations for a detector that computes blocks again, with dropout', async () => {
    const { model, ...parts } = await loadDetector('weights/nano-grounding-dino');
    Object.assign(model.config, { dropout: 0.1, fusionDroppath: 0.3 });
    const [sample] = (await samplesOf(3, 1)) as [Sample];
    const { pixelValues, pixelMask } = parts.imageProcessor.process([sample.image]);
    const inputs = { pixelValues, pixelMask, ...collateText([parts.tokenizer.encode(sample.phrases)], 16) };
    const pass = { variant: '', inputs: { ...inputs }, forward: (context: ForwardContext) => model.forward(inputs, context) };
    const graph = (await CapturedPasses.record(model, pass, Rng.seeded(0), 0)) as CapturedPasses;
    const made = [
      await new TrainingPasses(model).forward(pass, Rng.seeded(5)),
      graph.forward<ReturnType<typeof pass.forward>>(pass.inputs, Rng.seeded(5)),
    ];
    const [single, recorded] = await Promise.all(
      made.map(async ({ outputs, backward }) => {
        const at = [...outputs.layers, outputs.encoder as (typeof outputs.layers)[number]].flatMap(({ logits, predBoxes }) => [
          logits,
          predBoxes,
        ]);
        const gradients = backward(at.map((output) => [output, tf.cos(output)] as const));
        return Promise.all([...at, ...gradients.values()].map((tensor) => tensor.data()));
      }),
    );
    expect(single?.length).toBeGreaterThan(100);
    expect(recorded?.length).toBe(single?.length);
    const same = (values: ArrayLike<number>, k: number) =>
      Array.from(values).every((value, i) => Object.is(value, recorded?.[k]?.[i]));
    expect(single?.filter((values, k) => !same(values, k)).length).toBe(0);
    graph.dispose();
    model.dispose();
  });

  itUnless(missing, 'leave no tensor behind', async () => {
    const task = detectorTask(await loadDetector('weights/nano-grounding-dino'), true);
    const samples = await samplesOf(1, 2);
    const step = async () => tf.dispose([...(await task.step(samples, Rng.seeded(1))).gradients.values()]);
    expect(await leakOf(step)).toBe(0);
    expect(await leakOf(step)).toBe(0);
    task.dispose();
  });

  itUnless(missing, 'end a resumed run with the bytes of one in one go', async () => {
    const run = async (name: string, epochs: readonly number[]) => {
      for (const [i, upTo] of epochs.entries()) {
        const stop = new AbortController();
        const config = runConfigSchema.parse({
          run: { dir: join(dir, name), seed: 5 },
          data: { format: 'phantom' },
          train: { epochs: 2, stepsPerEpoch: 2, batchSize: 2, learningRate: 1e-3, warmupSteps: 1, ema: 0.9, workers: 0 },
        }).train;
        const task = detectorTask(await loadDetector('weights/nano-grounding-dino'), true);
        const options = {
          task,
          train: phantoms(4, 1),
          val: phantoms(2, 2),
          config,
          seed: 5,
          dir: join(dir, name),
          capture: true,
        };
        const onProgress = ({ step }: { step: number }) => {
          if (step === upTo) stop.abort();
        };
        const resume = i > 0;
        await train({ ...options, resume, signal: stop.signal, onProgress }).catch((error: Error) => {
          if (error.name !== 'TrainingStopped') throw error;
        });
        task.dispose();
      }
      return readSafetensors(join(dir, name, 'best', 'model.safetensors'));
    };
    const [whole, resumed] = [await run('whole', [99]), await run('resumed', [1, 3, 99])];
    expect(JSON.stringify(resumed)).toBe(JSON.stringify(whole));
  });
});
