import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { PhantomDataset, type PhantomDomain, phantomDomains } from '../../src/data/index.js';
import { GroundedSegmenter } from '../../src/infer/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { DetectionCriterion } from '../../src/losses/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { loadDetector, loadSam2Masker } from '../../src/pretrained/index.js';
import { DetectorTask, MaskerTask, type RunConfig, runConfigSchema, runTraining } from '../../src/train/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';

useBackend();

const DETECTOR = 'weights/nano-grounding-dino';
const MASKER = 'weights/nano-sam2';
const phantoms = (size: number, seed: number) =>
  new PhantomDataset({ size, seed, width: 64, height: 56, domain: phantomDomains['shifted'] as PhantomDomain });
const data = { train: phantoms(4, 1), val: phantoms(2, 2), test: phantoms(2, 3) };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-train-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const config = (name: string, changes: object = {}): RunConfig =>
  runConfigSchema.parse({
    run: { dir: join(dir, name), seed: 5 },
    model: { detector: DETECTOR, masker: MASKER },
    data: { format: 'phantom' },
    lora: { preset: 'paper', rank: 4, alpha: 4 },
    train: { epochs: 2, stepsPerEpoch: 2, batchSize: 2, learningRate: 1e-3, warmupSteps: 1, ema: 0.9 },
    ...changes,
  });

const criterion = () =>
  new DetectionCriterion({
    weights: { class: 1, bbox: 5, giou: 2, auxiliary: 1, encoder: 1 },
    costs: { class: 2, bbox: 5, giou: 2 },
    encoderMatches: 2,
  });

describe('training the detector', () => {
  it('leaves the number of tensors unchanged, step after step, and gives gradients only to trained parameters', async () => {
    const parts = await loadDetector(DETECTOR);
    applyLora(parts.model, loraPresets['paper'] as NonNullable<(typeof loraPresets)[string]>, Rng.seeded(1));
    const task = new DetectorTask({ ...parts, criterion: criterion(), save: async () => {} });
    const samples = await Promise.all([0, 1].map((i) => data.train.load(i)));
    const step = async () => {
      const { gradients, total } = await task.step(samples, Rng.seeded(3));
      expect(Number.isFinite(total)).toBe(true);
      expect(new Set(gradients.keys())).toEqual(new Set(parts.model.trainableParameters()));
      tf.dispose([...gradients.values()]);
    };
    expect(await leakOf(step)).toBe(0);
    expect(await leakOf(step)).toBe(0);
    expect(await leakOf(() => task.loss(samples))).toBe(0);
    parts.model.dispose();
  });

  it("lets the loss on the encoder's proposals teach the first stage, which the reference detaches", async () => {
    const parts = await loadDetector(DETECTOR);
    const samples = await Promise.all([0, 1].map((i) => data.train.load(i)));
    const largest = async (weights: { encoder: number }) => {
      const own = new DetectionCriterion({
        weights: { class: 1, bbox: 5, giou: 2, auxiliary: 0, ...weights },
        costs: { class: 2, bbox: 5, giou: 2 },
      });
      const { gradients } = await new DetectorTask({ ...parts, criterion: own, save: async () => {} }).step(
        samples,
        Rng.seeded(3),
      );
      const firstStage = [...parts.model.namedParameters()].filter(([path]) =>
        /^model\.(enc_output|encoder_output_bbox_embed)/.test(path),
      );
      const sizes = firstStage.map(([, parameter]) => {
        const gradient = gradients.get(parameter);
        return gradient === undefined ? 0 : (tf.max(tf.abs(gradient)).arraySync() as number);
      });
      tf.dispose([...gradients.values()]);
      return sizes;
    };
    expect((await largest({ encoder: 1 })).every((size) => size > 0)).toBe(true);
    expect((await largest({ encoder: 0 })).every((size) => size === 0)).toBe(true);
    parts.model.dispose();
  });

  it('scores every cell as the selection of queries does, for a loss over cells, and leaves no tensor behind', async () => {
    const parts = await loadDetector(DETECTOR);
    const samples = await Promise.all([0, 1].map((i) => data.train.load(i)));
    const own = new DetectionCriterion({
      weights: { class: 1, bbox: 5, giou: 2, auxiliary: 0, encoder: 0, cells: 20 },
      costs: { class: 2, bbox: 5, giou: 2 },
    });
    const task = new DetectorTask({ ...parts, criterion: own, save: async () => {} });
    const step = async () => {
      const { gradients, terms, total } = await task.step(samples, Rng.seeded(3));
      expect(total).toBeCloseTo(
        (terms['class'] ?? 0) + 5 * (terms['bbox'] ?? 0) + 2 * (terms['giou'] ?? 0) + (terms['cells'] ?? 0),
        3,
      );
      tf.dispose([...gradients.values()]);
    };
    expect(await leakOf(step)).toBe(0);
    expect(await leakOf(() => task.loss(samples))).toBe(0);

    const ids = tf.tensor2d([[101, 5, 6, 1012, 102]], [1, 5], 'int32');
    const pixelValues = tf.randomNormal([1, 96, 128, 3], 0, 1, 'float32', 1) as tf.Tensor4D;
    const { cells, encoder } = parts.model.forward({ pixelValues, inputIds: ids }, inference, { cells: true });
    const best = (rows: number[][]) => rows.map((row) => Math.max(...row.slice(1, 4))).sort((a, b) => b - a);
    const rowsOf = async (logits: tf.Tensor3D | undefined) => (await logits?.array())?.[0] ?? [];
    const [all, picked] = [best(await rowsOf(cells?.logits)), best(await rowsOf(encoder?.logits))];
    expect(cells?.spatialShapes.reduce((sum, [h, w]) => sum + h * w, 0)).toBe(all.length);
    expect(all.length).toBeGreaterThan(picked.length);
    expect(relativeError(picked, all.slice(0, picked.length))).toBeLessThan(1e-5);
    parts.model.dispose();
  });

  it.each([
    // Text projection, five blocks an encoder layer, the choice of queries, a block a decoder layer; the paper's set begins in BERT.
    ['paper-code', 0],
    ['paper', 1],
  ])('never records layers before the first adapter: %s', async (name, bert) => {
    const { model, config: sizes } = await loadDetector(DETECTOR);
    applyLora(model, loraPresets[name] as NonNullable<(typeof loraPresets)[string]>, Rng.seeded(1));
    const tape = new CheckpointedTape(Rng.seeded(2));
    const ids = tf.tensor2d([[101, 5, 6, 1012, 102]], [1, 5], 'int32');
    tf.tidy(() => {
      model.forward({ pixelValues: tf.randomNormal([1, 128, 128, 3], 0, 1, 'float32', 1), inputIds: ids }, tape);
    });
    expect(tape.length).toBe(1 + 5 * sizes.encoderLayers + 1 + sizes.decoderLayers + bert * sizes.textConfig.numHiddenLayers);
    tape.dispose();
    model.dispose();
  });

  it('trains an adapter end to end, keeps the best, and the adapter changes the detections', async () => {
    const result = await runTraining(config('whole'), data);
    expect(result).toMatchObject({ steps: 4, epochs: 2, stoppedEarly: false });
    const log = (await readFile(join(dir, 'whole', 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(log.map(({ event }) => event)).toEqual(['step', 'step', 'epoch', 'step', 'step', 'epoch']);
    const sample = await data.test.load(0);
    const scores = await Promise.all(
      [undefined, result.bestDir].map(async (adapter) => {
        const segmenter = await GroundedSegmenter.load({ detector: DETECTOR, masker: MASKER, adapter });
        const [best] = await segmenter.detector.detect(sample.image, sample.phrases, { threshold: 0 });
        segmenter.dispose();
        return best?.score;
      }),
    );
    expect(scores[0]).not.toBe(scores[1]);
  });

  it('resumes to the same bytes as a run in one go', async () => {
    const constant = (name: string, epochs: number) =>
      config(name, { train: { epochs, stepsPerEpoch: 1, batchSize: 2, schedule: 'constant', warmupSteps: 1, ema: 0.9 } });
    await runTraining(constant('one-go', 2), data);
    await runTraining(constant('two-parts', 1), data);
    const resumed = await runTraining(constant('two-parts', 2), data, { resume: true });
    expect(resumed.steps).toBe(2);
    const bytes = (name: string) => readFile(join(dir, name, 'checkpoints', 'step-00000002.safetensors'));
    expect((await bytes('two-parts')).equals(await bytes('one-go'))).toBe(true);
  });

  it('names the empty split before anything is trained', async () => {
    await expect(runTraining(config('empty'), { ...data, val: phantoms(0, 2) })).rejects.toThrow(/its split val has no image/);
  });

  it('stops when the loss is not a number, names the images, and keeps the last checkpoint', async () => {
    const poisoned = {
      name: 'poisoned',
      size: 2,
      load: async (i: number) => ({ ...(await data.train.load(i)), file: `bad-${i}.png` }),
    };
    const { train } = await import('../../src/train/index.js');
    const parts = await loadDetector(DETECTOR);
    const broken = new DetectorTask({ ...parts, criterion: criterion(), save: async () => {} });
    const task = {
      model: parts.model,
      save: broken.save,
      loss: broken.loss.bind(broken),
      dispose: broken.dispose.bind(broken),
      step: async () => ({ total: Number.NaN, terms: {}, gradients: new Map(), normaliser: 1 }),
    };
    const options = config('nan').train;
    await expect(
      train({ task, train: poisoned, val: data.val, config: options, seed: 1, dir: join(dir, 'nan') }),
    ).rejects.toThrow(/step 1: the loss is not finite, with .*bad-\d\.png/);
    parts.model.dispose();
  });
});

describe('training the masker', () => {
  it('leaves no tensor behind, with one mask and with several', async () => {
    const parts = await loadSam2Masker(MASKER);
    const task = new MaskerTask({ ...parts, save: async () => {} });
    const samples = await Promise.all([0, 1, 2, 3].map((i) => data.train.load(i)));
    for (const seed of [1, 2, 3, 4]) {
      const leak = await leakOf(async () => {
        const { gradients, total } = await task.step(samples, Rng.seeded(seed));
        expect(Number.isFinite(total)).toBe(true);
        tf.dispose([...gradients.values()]);
      });
      expect(leak).toBe(0);
    }
    parts.model.dispose();
  });
});

describe('segmenting', () => {
  it('leaves no tensor behind and answers with the caller’s phrases, on the image’s own grid', async () => {
    const segmenter = await GroundedSegmenter.load({ detector: DETECTOR, masker: MASKER });
    const { image } = await data.test.load(0);
    await segmenter.segment(image, 'Lymph node. kidney.', { threshold: 0 });
    const leak = await leakOf(async () => {
      const segments = await segmenter.segment(image, 'Lymph node. kidney.', { threshold: 0, maxDetections: 3 });
      expect(segments.length).toBeGreaterThan(0);
      for (const { phrase, mask } of segments) {
        expect(['lymph node', 'kidney']).toContain(phrase);
        expect([mask.width, mask.height]).toEqual([image.width, image.height]);
      }
    });
    expect(leak).toBe(0);
    expect(await segmenter.segment(image, 'kidney', { threshold: 1 })).toEqual([]);
    segmenter.dispose();
  });
});
