import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { applyLora, LoraLinear } from '../../src/lora/index.js';
import { GroundingDino } from '../../src/models/grounding-dino/index.js';
import { Sam2 } from '../../src/models/sam2/index.js';
import {
  Conv2d,
  ConvTranspose2d,
  Embedding,
  GroupNorm,
  inference,
  LayerNorm,
  Linear,
  Module,
  type TensorLayer,
} from '../../src/nn/index.js';
import { loadDetector, loadMasker, nanoModels } from '../../src/pretrained/index.js';
import { Rng, sizeOf } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { normalTensor } from '../support/random.js';

useBackend();

const values = (t: tf.Tensor | tf.Tensor[] | tf.SymbolicTensor | tf.SymbolicTensor[]) => [...(t as tf.Tensor).dataSync()];

/** y = [x0 + 2 x1 + 1, 3 x1 - 1] */
function linear(): Linear {
  const layer = new Linear(2, 2);
  layer.weight.assign(tf.tensor2d([1, 2, 0, 3], [2, 2]));
  layer.bias?.assign(tf.tensor1d([1, -1]));
  return layer;
}

/** Each parameter once, in the order of the paths. */
function distinct(module: Module): [string, readonly number[]][] {
  const seen = new Set<unknown>();
  return [...module.namedParameters()]
    .filter(([, parameter]) => !seen.has(parameter) && seen.add(parameter))
    .map(([path, { shape }]) => [path, shape]);
}

const isBuffer = (path: string) => path.endsWith('positional_embedding');

const wholes: [string, () => Promise<Module>][] = [
  ['a Linear', async () => linear()],
  ['a whole GroundingDino', async () => (await loadDetector(nanoModels.detector)).model],
  ['a whole Sam2', async () => (await loadMasker(nanoModels.masker)).model],
];

describe.each(wholes)('%s as a layer of tf.layers', (_name, make) => {
  it('has its parameters as weights, by path and in their order', async () => {
    const module = await make();
    // Buffers are frozen, and tf.layers has what is frozen behind what is not.
    const all = distinct(module);
    const expected = [...all.filter(([path]) => !isBuffer(path)), ...all.filter(([path]) => isBuffer(path))];
    expect(expected.length).toBeGreaterThan(1);
    expect(module.built).toBe(true);
    expect(module.weights.map(({ name, shape }) => [name, shape])).toEqual(
      expected.map(([path, shape]) => [`${module.name}/${path}`, shape]),
    );
    expect(module.getWeights().map(({ shape }) => shape)).toEqual(expected.map(([, shape]) => shape));
    expect(module.countParams()).toBe(expected.reduce((sum, [, shape]) => sum + sizeOf(shape), 0));
    module.dispose();
  });

  it('takes other values by setWeights, and none when one of them does not fit', async () => {
    const module = await make();
    const first = module.getWeights()[0] as tf.Tensor;
    const doubled = tf.tidy(() => module.getWeights().map((weight) => tf.mul(weight, 2)));
    const expected = values(doubled[0] as tf.Tensor);
    const before = values(first);
    expect(() => module.setWeights([...doubled.slice(0, -1), tf.zeros([7, 7, 7])])).toThrow(/setWeights: .* got \[7,7,7\]/);
    expect(() => module.setWeights(doubled.slice(1))).toThrow(/expected \d+ tensors, got \d+/);
    expect(values(first)).toEqual(before);
    module.setWeights(doubled);
    expect(values(module.getWeights()[0] as tf.Tensor)).toEqual(expected);
    module.dispose();
  });

  it('freezes and thaws everything by trainable', async () => {
    const module = await make();
    const count = distinct(module).length;
    const buffers = distinct(module).filter(([path]) => isBuffer(path)).length;
    expect([module.trainableWeights.length, module.nonTrainableWeights.length]).toEqual([count - buffers, buffers]);
    module.trainable = false;
    expect([module.trainable, module.trainableWeights.length, module.nonTrainableWeights.length]).toEqual([false, 0, count]);
    expect(module.trainableParameters()).toEqual([]);
    expect(module.getWeights(true)).toEqual([]);
    expect(module.getWeights().length).toBe(count);
    module.trainable = true;
    expect(module.trainableParameters().length).toBe(count - buffers);
    module.dispose();
  });

  it('is made again from its config, with the same paths and shapes, without values', async () => {
    const module = await make();
    const { className } = module.constructor as typeof Module;
    const Class = module.constructor as unknown as tf.serialization.SerializableConstructor<Module>;
    const config = JSON.parse(JSON.stringify(module.getConfig()));
    const again = Class.fromConfig(Class, config);
    expect(module.getClassName()).toBe(className);
    expect([again.name, again.getClassName()]).toEqual([module.name, className]);
    expect(distinct(again)).toEqual(distinct(module));
    expect(again.built).toBe(false);
    expect(again.countParams()).toBe(module.countParams());
    module.dispose();
  });

  it('frees its weights once, and refuses to be applied then', async () => {
    const leak = await leakOf(async () => {
      const module = await make();
      const count = distinct(module).length;
      expect(module.dispose()).toEqual({ refCountAfterDispose: 0, numDisposedVariables: count });
      expect(module.dispose()).toEqual({ refCountAfterDispose: 0, numDisposedVariables: 0 });
      expect(() => module.apply([tf.zeros([1])])).toThrow(/already disposed/);
    });
    // The last line leaves its tensor; those of `linear()` are the test's own.
    expect(leak).toBeLessThanOrEqual(3);
  });
});

describe('apply', () => {
  const cases: [string, () => TensorLayer, number[], boolean?][] = [
    ['Linear', () => new Linear(5, 3), [2, 4, 5]],
    ['LayerNorm', () => new LayerNorm(5), [2, 4, 5]],
    ['GroupNorm', () => new GroupNorm(2, 6), [2, 4, 3, 6]],
    ['Conv2d', () => new Conv2d(3, 4, { kernelSize: 3, stride: 2, padding: 1 }), [2, 7, 10, 3]],
    ['ConvTranspose2d', () => new ConvTranspose2d(3, 4, { stride: 2 }), [2, 5, 4, 3]],
    ['Embedding', () => new Embedding(9, 4), [2, 3], true],
    ['LoraLinear', () => new LoraLinear(new Linear(5, 3), { rank: 2, alpha: 2 }), [2, 4, 5]],
  ];

  it.each(cases)('of a %s computes what forward does, and its shape is known before', (_name, make, shape, ids = false) => {
    const layer = make();
    layer.initialise(Rng.seeded(1));
    const x = ids ? tf.tensor2d([0, 8, 3, 3, 1, 2], [2, 3], 'int32') : normalTensor(shape, 2);
    const y = layer.apply(x) as tf.Tensor;
    expect(values(y)).toEqual(values(layer.forward(x, inference)));
    expect(layer.computeOutputShape(shape)).toEqual(y.shape);
    expect(layer.computeOutputShape([null, ...shape.slice(1)])).toEqual([null, ...y.shape.slice(1)]);
  });

  it('of a Linear is the affine map', () => {
    expect(values(linear().apply(tf.tensor2d([10, 1], [1, 2])))).toEqual([13, 2]);
  });

  it('draws values for a layer that has none, and refuses one that was loaded in part', () => {
    const fresh = new Linear(2, 2);
    expect(() => fresh.forward(tf.zeros([1, 2]))).toThrow(/before it was loaded or initialised/);
    fresh.apply(tf.zeros([1, 2]));
    expect(values(fresh.weight.value).every((value) => value !== 0)).toBe(true);
    const part = new Linear(2, 2);
    part.weight.assign(tf.zeros([2, 2]));
    expect(() => part.apply(tf.zeros([1, 2]))).toThrow(/1 of 2 parameters have no values, such as bias/);
  });

  it('of a module that needs more than tensors says what to call', () => {
    class Block extends Module {
      forward({ x }: { x: tf.Tensor }): tf.Tensor {
        return x;
      }
    }
    class Prompts extends Module {
      tokens(): void {}
      dense(): void {}
      get size(): number {
        return 2;
      }
    }
    expect(() => new Block().apply(tf.zeros([1]))).toThrow(/^Block.apply: .* Call forward instead$/);
    expect(() => new Prompts().apply(tf.zeros([1]))).toThrow(/^Prompts.apply: .* Call tokens or dense instead$/);
    expect(() => new Linear(2, 2).apply([tf.zeros([1, 2]), tf.zeros([1, 2])])).toThrow(/expected one tensor, got 2/);
    expect(() => new Block().computeOutputShape([1])).toThrow(/is not known before/);
    expect(() => Block.fromConfig(Block as never, {})).toThrow(/^Block.fromConfig: /);
  });

  it('of a whole GroundingDino gives the logits and boxes of its last layer', async () => {
    const { model } = await loadDetector(nanoModels.detector);
    const pixelValues = normalTensor<tf.Rank.R4>([1, 160, 128, 3], 3);
    const inputIds = tf.tensor2d([101, 7, 9, 1012, 102], [1, 5], 'int32');
    const { logits, predBoxes } = model.forward({ pixelValues, inputIds }, inference).layers.at(-1) as {
      logits: tf.Tensor;
      predBoxes: tf.Tensor;
    };
    const before = tf.memory().numTensors;
    const [ours, boxes, ...more] = model.apply([pixelValues, inputIds]) as [tf.Tensor, tf.Tensor];
    expect(tf.memory().numTensors - before).toBe(2);
    expect([values(ours), values(boxes), more]).toEqual([values(logits), values(predBoxes), []]);
    expect(() => model.apply(pixelValues)).toThrow(/expected \[pixelValues, inputIds\], got 1 tensors/);
    model.dispose();
  });

  it('of a whole Sam2 gives masks for boxes', async () => {
    const { model, config } = await loadMasker(nanoModels.masker);
    if (!(model instanceof Sam2 && 'promptEncoder' in config)) throw new Error('the shipped masker is a SAM 2');
    const { imageSize } = model.config.promptEncoder;
    const pixelValues = normalTensor<tf.Rank.R4>([1, imageSize, imageSize, 3], 4);
    const boxes = tf.tensor3d([4, 5, 40, 30], [1, 1, 4]);
    const features = model.encodeImage(pixelValues, inference);
    const { predMasks, iouScores } = model.decodeMasks({ features, boxes, multimask: true }, inference);
    const [masks, scores, present] = model.apply([pixelValues, boxes], { multimask: true }) as tf.Tensor[];
    expect([values(masks as tf.Tensor), values(scores as tf.Tensor)]).toEqual([values(predMasks), values(iouScores)]);
    expect(present?.shape).toEqual([1, 1, 1]);
    expect(() => model.apply([pixelValues, boxes, boxes])).toThrow(/got 3 tensors/);
    model.dispose();
  });
});

describe('layers in models of tf.layers', () => {
  const sequential = () =>
    tf.sequential({
      layers: [tf.layers.inputLayer({ inputShape: [2] }), linear(), new LayerNorm(2), tf.layers.dense({ units: 1 })],
    });

  it('predict what they do alone', () => {
    const model = sequential();
    const x = tf.tensor2d([10, 1, 3, -2], [2, 2]);
    const [, first, second, third] = [undefined, ...model.layers.filter(({ name }) => !name.startsWith('input'))];
    const alone = [first, second, third].reduce<tf.Tensor>((h, layer) => layer?.apply(h) as tf.Tensor, x);
    expect(values(model.predict(x) as tf.Tensor)).toEqual(values(alone));
    // 4 + 2 of Linear, 2 + 2 of LayerNorm, 2 + 1 of dense.
    expect(model.countParams()).toBe(13);
  });

  it('learn by fit, and a frozen one stays as it is', async () => {
    const [frozen, learning] = [linear(), new Linear(2, 1)];
    frozen.trainable = false;
    const input = tf.input({ shape: [2] });
    const output = learning.apply(frozen.apply(input)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const x = normalTensor<tf.Rank.R2>([32, 2], 5);
    const y = tf.tidy(() => tf.sum(frozen.apply(x) as tf.Tensor, 1, true));
    const before = values(frozen.weight.value);
    const { history } = await model.fit(x, y, { epochs: 60, verbose: 0, shuffle: false });
    const losses = history['loss'] as number[];
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 10);
    expect(values(frozen.weight.value)).toEqual(before);
  });

  it('come back from the JSON of a model, once their classes are registered', async () => {
    for (const layer of [Linear, LayerNorm]) tf.serialization.registerClass(layer as never);
    const model = sequential();
    const again = await tf.models.modelFromJSON({ modelTopology: JSON.parse(model.toJSON() as string) } as never);
    again.setWeights(model.getWeights());
    const x = normalTensor([3, 2], 6);
    expect(values(again.predict(x) as tf.Tensor)).toEqual(values(model.predict(x) as tf.Tensor));
    expect(again.weights.map(({ originalName }) => originalName)).toEqual(model.weights.map(({ originalName }) => originalName));
  });

  it('that two models share are freed with the second one', () => {
    const shared = linear();
    const of = () => {
      const input = tf.input({ shape: [2] });
      return tf.model({ inputs: input, outputs: shared.apply(input) as tf.SymbolicTensor });
    };
    const [one, other] = [of(), of()];
    expect(one.dispose()).toMatchObject({ numDisposedVariables: 0 });
    expect(values(other.predict(tf.tensor2d([10, 1], [1, 2])) as tf.Tensor)).toEqual([13, 2]);
    expect(other.dispose()).toMatchObject({ numDisposedVariables: 2 });
    expect(shared.built).toBe(false);
  });
});

describe('an adapter', () => {
  it('comes after the weight that it adapts, and is what is left to train', async () => {
    const { model } = await loadDetector(nanoModels.detector);
    if (!(model instanceof GroundingDino)) throw new Error('the shipped detector is a Grounding DINO');
    applyLora(model, { targetModules: ['**.out_proj'], rank: 2, alpha: 2 } as never, Rng.seeded(1));
    const trainable = model.trainableWeights.map(({ name }) => name);
    expect(trainable.length).toBeGreaterThan(0);
    expect(trainable.every((name) => /lora_[AB]\.weight$/.test(name))).toBe(true);
    expect(model.weights.map(({ name }) => name).slice(0, trainable.length)).toEqual(trainable);
    model.dispose();
  });
});
