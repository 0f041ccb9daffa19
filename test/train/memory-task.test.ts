import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { PhantomClipDataset, PhantomDataset, type PhantomDomain, phantomDomains, type Sample } from '../../src/data/index.js';
import { Sam2VideoPredictor } from '../../src/infer/index.js';
import type { Sam2Video } from '../../src/models/sam2/index.js';
import { inference, type Parameter } from '../../src/nn/index.js';
import { loadSam2VideoParts } from '../../src/pretrained/index.js';
import { freeze, MemoryTask, type RunConfig, runConfigSchema, runTraining, TrainingStopped } from '../../src/train/index.js';
import { clipTensors, followedObject, framesOf } from '../../src/train/tasks/clip-batch.js';
import { followClip } from '../../src/train/tasks/follow-clip.js';
import { Rng, silentLogger } from '../../src/util/index.js';
import { runExperiment } from '../../src/workflows/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath } from '../support/golden.js';
import { itUnless, notNative } from '../support/skipped.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { videoImages, videoModel } from '../support/video-fixture.js';

useBackend();
const missing = notNative(await initBackend());

const dir = temporaryFolder('memory-task');
const SIDE = 64;
const MODEL = fixturePath('sam2-video');
const ENCODER = ['vision_encoder.**', 'mask_decoder.conv_s0.**', 'mask_decoder.conv_s1.**'];

const domain = phantomDomains['standard'] as PhantomDomain;
const clips = (frames: number) => new PhantomClipDataset({ size: 6, seed: 9, width: 40, height: 36, domain, frames });
const samplesOf = (frames: number, indices: readonly number[]): Promise<Sample[]> =>
  Promise.all(indices.map((i) => clips(frames).load(i)));

/** The fixture's model without dropout, as passes with it are random. */
const still = () =>
  videoModel('sam2-video', (config) => ({
    ...config,
    memory: { ...config.memory, attention: { ...config.memory.attention, dropout: 0 } },
  }));

async function taskOf(capture = false, frozen = ENCODER): Promise<MemoryTask> {
  const model = await still();
  freeze(model, { train: { freeze: frozen } } as unknown as RunConfig);
  return new MemoryTask({ model, imageProcessor: videoImages(), save: async () => {}, capture });
}

describe('following a clip in training', () => {
  it('predicts what the tracker does', async () => {
    const model = await still();
    const [sample] = (await samplesOf(5, [1])) as [Sample];
    const object = followedObject(sample);
    const { visible, truth, ...prompt } = clipTensors([object], 'box', SIDE);
    const { pixelValues, pixelMask } = videoImages().process(framesOf([object]));
    const found = tf.tidy(() => followClip(model, { frames: 5, pixelValues, ...prompt }, inference).map(({ objectScoreLogits }) => objectScoreLogits)); // biome-ignore format: one line
    const predictor = new Sam2VideoPredictor({ model, imageProcessor: videoImages() });
    const { width, height } = sample.image;
    const frame = async (index: number) => object.images[index] as Sample['image'];
    const tracker = await predictor.track({ name: 'clip', frames: 5, width, height, frame });
    const { box } = object;
    const scores = [(await tracker.prompt({ frame: 0, object: 1, box })).objects[0]?.objectScore ?? 0];
    for await (const tracked of tracker.propagate({ from: 1 })) scores.push(tracked.objects[0]?.objectScore ?? 0);
    const logits = (await Promise.all(found.map((one) => one.data<'float32'>()))).map(([x = 0]) => x);
    expect(
      relativeError(
        logits.map((x) => 1 / (1 + Math.exp(-x))),
        scores,
      ),
    ).toBeLessThan(1e-4);
    tracker.dispose();
    tf.dispose([found, visible, truth, pixelValues, pixelMask, { ...prompt }]);
    predictor.dispose();
  });
});

describe('training a memory', () => {
  it('leaves the number of tensors unchanged, for each kind of prompt, and trains all that is not frozen', async () => {
    const task = await taskOf();
    const samples = await samplesOf(3, [0, 1]);
    const reached = new Set<Parameter>();
    const step = async (seed: number) => {
      const { gradients, total, terms } = await task.step(samples, Rng.seeded(seed));
      expect(total).toBeGreaterThan(0);
      expect(Object.keys(terms).sort()).toEqual(['dice', 'focal', 'iou', 'overlap', 'presence']);
      for (const parameter of gradients.keys()) reached.add(parameter);
      tf.dispose([...gradients.values()]);
    };
    await step(1);
    await task.loss(samples);
    expect(await leakOf(async () => { for (let seed = 1; seed < 13; seed++) await step(seed); })).toBe(0); // biome-ignore format: one line
    expect(await leakOf(() => task.loss(samples))).toBe(0);
    const silent = [...task.model.namedParameters()]
      .filter(([, one]) => one.trainable && !reached.has(one))
      .map(([path]) => path);
    expect(silent.filter((path) => !/^(no_memory_positional_encoding|prompt_encoder\.|shared_image)/.test(path))).toEqual([]);
    task.dispose();
  });

  /** A step, whose gradients several tests look at; they leave the weights as they were. */
  let taken: Promise<{ readonly task: MemoryTask; readonly samples: Sample[]; readonly gradients: Map<Parameter, tf.Tensor> }>;
  const takenStep = () => {
    taken ??= (async () => {
      const task = await taskOf();
      const samples = await samplesOf(4, [0, 1]);
      const { gradients } = await task.step(samples, Rng.seeded(2));
      return { task, samples, gradients: new Map(gradients) };
    })();
    return taken;
  };
  afterAll(async () => {
    const step = await taken;
    tf.dispose([...(step?.gradients.values() ?? [])]);
    step?.task.dispose();
  });

  /**
   * Along each part's own gradient the loss changes as its length says. Memories are rounded to eight bits, so that a small step shows
   * their noise and a large one the curvature: in between, a fifth is what can be told.
   */
  it.each([
    ['memory_attention.', 5e-4],
    ['memory_encoder.', 5e-4],
    ['memory_temporal_positional_encoding', 0.01],
    ['object_pointer_proj.', 1.5e-3],
    ['temporal_positional_encoding_projection_layer.', 4e-3],
    ['mask_decoder.pred_obj_score_head.', 4e-3],
  ])('has the gradient of its loss for %s, by finite differences', async (prefix, step) => {
    const { task, samples, gradients } = await takenStep();
    const own = [...task.model.namedParameters()].flatMap(([path, parameter]) => {
      const gradient = gradients.get(parameter);
      return path.startsWith(prefix) && gradient !== undefined ? [{ parameter, gradient, start: parameter.value.clone() }] : [];
    });
    expect(own.length).toBeGreaterThan(0);
    const squares = await Promise.all(own.map(async ({ gradient }) => (await tf.tidy(() => tf.sum(tf.square(gradient))).data())[0] ?? 0)); // biome-ignore format: one line
    const length = Math.sqrt(squares.reduce((sum, one) => sum + one, 0));
    const lossAt = async (distance: number) => {
      for (const { parameter, gradient, start } of own)
        tf.tidy(() => parameter.assign(tf.add(start, tf.mul(gradient, distance / length))));
      const { gradients: unused, total } = await task.step(samples, Rng.seeded(2));
      tf.dispose([...unused.values()]);
      return total;
    };
    const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    for (const { parameter, start } of own) parameter.assign(start);
    tf.dispose(own.map(({ start }) => start));
    expect(Math.abs(slope / length - 1)).toBeLessThan(0.2);
  });

  it('goes on without clips that show nothing, and a batch of them costs nothing', async () => {
    const task = await taskOf();
    const [shown] = (await samplesOf(3, [0])) as [Sample];
    const empty = { ...shown, objects: [], later: (shown.later ?? []).map(({ image }) => ({ image, masks: [] })) };
    expect(await task.loss([empty])).toEqual({ total: 0, terms: {} });
    const { gradients, normaliser, total } = await task.step([empty, shown], Rng.seeded(1));
    expect(gradients.size).toBeGreaterThan(0);
    expect(total).toBeGreaterThan(0);
    expect(normaliser).toBe(1);
    tf.dispose([...gradients.values()]);
    task.dispose();
  });

  itUnless(missing, 'computes the same as a graph, and where the encoder is trained too', async () => {
    for (const frozen of [ENCODER, ['no_memory_positional_encoding']]) {
      const [eager, captured] = [await taskOf(false, frozen), await taskOf(true, frozen)];
      const samples = await samplesOf(3, [2, 3]);
      const [expected, actual] = [await eager.step(samples, Rng.seeded(4)), await captured.step(samples, Rng.seeded(4))];
      expect(relativeError([actual.total], [expected.total])).toBeLessThan(1e-5);
      const paths = new Map([...eager.model.namedParameters()].map(([path, parameter]) => [parameter, path]));
      const theirs = new Map([...captured.model.namedParameters()].map(([path, parameter]) => [path, actual.gradients.get(parameter)])); // biome-ignore format: one line
      const encoder = [...expected.gradients.keys()].some((one) => paths.get(one)?.startsWith('vision_encoder.'));
      expect(encoder).toBe(frozen !== ENCODER);
      let squares = [0, 0];
      for (const [parameter, gradient] of expected.gradients) {
        const [wanted, found] = await Promise.all([gradient.data<'float32'>(), (theirs.get(paths.get(parameter) as string) as tf.Tensor).data<'float32'>()]); // biome-ignore format: one line
        squares = [
          (squares[0] as number) + wanted.reduce((sum, x, i) => sum + (x - (found[i] as number)) ** 2, 0),
          (squares[1] as number) + wanted.reduce((sum, x) => sum + x ** 2, 0),
        ];
      }
      expect(Math.sqrt((squares[0] as number) / (squares[1] as number))).toBeLessThan(1e-3);
      tf.dispose([...expected.gradients.values(), ...actual.gradients.values()]);
      eager.dispose();
      captured.dispose();
    }
  });
});

const config = (name: string, change: object = {}) =>
  runConfigSchema.parse({
    task: 'memory',
    run: { dir: join(dir, name), seed: 4 },
    model: { masker: MODEL },
    data: {
      format: 'phantom',
      clips: { frames: 3 },
      phantom: { size: { width: 40, height: 36 }, train: 4, val: 2, test: 1 },
    },
    train: {
      epochs: 2,
      stepsPerEpoch: 3,
      batchSize: 2,
      learningRate: 1e-3,
      probe: 'none',
      workers: 0,
      freeze: ENCODER,
      ema: 0.9,
    },
    ...change,
  });

describe('a run of a memory', () => {
  it('that is stopped and resumed ends with the same bytes as one in one go, and leaves frozen weights as they were', async () => {
    const said: string[] = [];
    const logger = {
      ...silentLogger,
      info: (message: string) => void said.push(message),
      warn: (message: string) => void said.push(message),
    };
    const { training, test } = await runExperiment(config('one-go'), { logger });
    expect(training[0]).toMatchObject({ task: 'memory', steps: 6, monitor: 'val.loss' });
    // A memory is not tested on the split's images.
    expect(test).toMatchObject({ n: 0, dsc: null });
    expect(said).toContain('clips are evaluated by eval --clips, with the best weights as --masker');
    expect(said.filter((message) => /test split is empty/.test(message))).toEqual([]);
    const stop = new AbortController();
    const onProgress = ({ step }: { step: number }) => step === 2 && stop.abort();
    await expect(runExperiment(config('resumed'), { signal: stop.signal, onProgress })).rejects.toThrow(TrainingStopped);
    await runExperiment(config('resumed'), { resume: true });
    const bytes = (name: string, file: string) => readFile(join(dir, name, file), 'base64');
    for (const file of ['best/model.safetensors', 'checkpoints/step-00000006.safetensors'])
      expect(await bytes('resumed', file)).toBe(await bytes('one-go', file));
    const [before, after] = [await loadSam2VideoParts(MODEL), await loadSam2VideoParts(join(dir, 'one-go', 'best'))];
    const valuesOf = async (model: Sam2Video, path: string) => [
      ...(await (new Map(model.namedParameters()).get(path) as Parameter).value.data()),
    ];
    const path = 'vision_encoder.backbone.patch_embed.projection.weight';
    expect(await valuesOf(after.model, path)).toEqual(await valuesOf(before.model, path));
    const trained = 'memory_attention.layers.0.linear1.weight';
    expect(await valuesOf(after.model, trained)).not.toEqual(await valuesOf(before.model, trained));
  });

  it('trains adapters of the memory attention alone', async () => {
    const { freeze: _, ...train } = config('lora').train;
    const own = config('lora', { lora: { preset: 'memory-attention', rank: 2 }, train: { ...train, epochs: 1, stepsPerEpoch: 1, preflight: false } }); // biome-ignore format: one line
    await runExperiment(own);
    expect(JSON.parse(await readFile(join(dir, 'lora', 'best', 'adapter_config.json'), 'utf8'))).toMatchObject({ r: 2 });
  });

  it('takes clips, and only a memory does', async () => {
    const data = { train: clips(3), val: clips(3), test: clips(3) };
    const changes = {
      'train.augment': { train: { augment: 'strong' } },
      'train.monitor': { train: { monitor: 'val.dsc' } },
      'data.clips': { data: { format: 'phantom' } },
    };
    for (const [where, change] of Object.entries(changes))
      await expectError(runTraining(config('refused', change), data), { code: 'E_CONFIG_CONFLICT', where });
    const images = new PhantomDataset({ size: 2, seed: 1, width: 40, height: 36, domain });
    const masker = config('refused', { task: 'masker' });
    await expectError(runTraining(masker, { train: images, val: images, test: images }), { code: 'E_CONFIG_CONFLICT', where: 'data.clips' }); // biome-ignore format: one line
  });
});
