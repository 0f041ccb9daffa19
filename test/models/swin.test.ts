import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { parseSwinConfig, Swin, type SwinConfig, swinUnusedKeys } from '../../src/models/swin/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { matchesPattern, Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

interface Fixture {
  readonly golden: GoldenCase;
  readonly swin: Swin;
  /** Keys of the checkpoint that the model did not take. */
  readonly unused: readonly string[];
}

async function load(name: string, overrides: Partial<SwinConfig> = {}): Promise<Fixture> {
  const golden = await GoldenCase.read(name);
  const swin = new Swin({ ...parseSwinConfig(fixtureJson(name, 'config.json')), ...overrides });
  const unused = (await GoldenCase.read(name, 'model.safetensors')).load(swin);
  return { golden, swin, unused };
}

/** A backbone with random weights, and an image for it. */
function small(json: Record<string, unknown>): { swin: Swin; image: tf.Tensor4D } {
  const swin = new Swin(parseSwinConfig({ embed_dim: 4, depths: [2, 2], num_heads: [2, 2], window_size: 3, ...json }));
  swin.initialise(Rng.seeded(1));
  return { swin, image: tf.randomNormal([2, 21, 14, 3], 0, 1, 'float32', 1) };
}

describe('Swin', () => {
  it.each(['swin-odd', 'swin-large-window', 'swin-absolute', 'swin-interpolated'])(
    'agrees with the reference: %s',
    async (name) => {
      const { golden, swin } = await load(name);
      const maps = swin.forward(golden.image('in.pixel_values'), inference);
      expect(maps.length).toBe(golden.names('out.').length);
      expect(maps.map((map) => map.shape[3])).toEqual(swin.channels);
      for (const [i, map] of maps.entries()) await expectClose(map, golden.image(`out.${i}`), TOLERANCE.encoder);
    },
  );

  it.each(['swin-odd', 'swin-interpolated'])('has the gradients of the reference: %s', async (name) => {
    const { golden, swin } = await load(name, { dropPathRate: 0 });
    const tape = new CheckpointedTape(Rng.seeded(1));
    const maps = swin.forward(golden.image('in.pixel_values'), tape);
    const { gradients } = tape.backward(maps.map((map, i) => [map, golden.image(`in.grad.${i}`)] as const));
    const parameters = [...swin.namedParameters()];
    expect(parameters.map(([path]) => path).sort()).toEqual(golden.names('grad.').sort());
    for (const [path, parameter] of parameters) {
      const gradient = gradients.get(parameter) as tf.Tensor;
      // A key's bias adds the same to all scores of a query, so that softmax has no gradient for it: rounding is all there is.
      if (path.endsWith('self.key.bias')) await expectClose(tf.add(gradient, 1), tf.onesLike(gradient), TOLERANCE.encoder);
      else await expectClose(gradient, golden.inLayout(`grad.${path}`, parameter.layout), TOLERANCE.encoderGradient);
    }
  });

  it('has the keys of the checkpoint, but for those that nothing reads', async () => {
    const { unused } = await load('swin-odd');
    expect([...unused].sort()).toEqual(['swin.layernorm.bias', 'swin.layernorm.weight']);
    const older = [...unused, 'encoder.layers.0.blocks.1.attention.self.relative_position_index'];
    expect(older.filter((key) => !swinUnusedKeys.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
  });

  it('leaves nothing behind but its maps', async () => {
    const { swin, image } = small({ out_indices: [1, 2] });
    expect(await leakOf(() => tf.dispose(swin.forward(image, inference)))).toBe(0);
  });

  it('leaves nothing behind after a training step', async () => {
    const { swin, image } = small({ out_indices: [1, 2], drop_path_rate: 0.5, hidden_dropout_prob: 0.1 });
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(3));
      const maps = swin.forward(image, tape);
      const { gradients } = tape.backward(maps.map((map) => [map, map] as const));
      expect(gradients.size).toBe(swin.trainableParameters().length);
      tf.dispose([...gradients.values()]);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });

  it('is not recorded where it is frozen', async () => {
    const { swin, image } = small({ out_indices: [1, 2] });
    swin.setTrainable(false);
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(3));
      tf.dispose(swin.forward(image, tape));
      expect(tape.length).toBe(0);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });

  it('drops paths and units in training only, by the given draws', async () => {
    const { swin, image } = small({ drop_path_rate: 0.9, hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.2 });
    const train = async (seed: number) => [
      ...(await (swin.forward(image, new CheckpointedTape(Rng.seeded(seed)))[0] as tf.Tensor).data()),
    ];
    const evaluate = async () => [...(await (swin.forward(image, inference)[0] as tf.Tensor).data())];
    expect(await train(1)).toEqual(await train(1));
    expect(await train(1)).not.toEqual(await train(2));
    expect(await evaluate()).toEqual(await evaluate());
    expect(await evaluate()).not.toEqual(await train(1));
  });

  it('gives the last stage where no output is named', () => {
    const { swin, image } = small({});
    expect(swin.forward(image, inference).map((map) => map.shape)).toEqual([[2, 3, 2, 8]]);
  });

  it('names the channels it expects', () => {
    const { swin } = small({});
    expectError(() => swin.forward(tf.zeros([1, 8, 8, 1]), inference), {
      code: 'E_SHAPE',
      where: 'Swin pixelValues',
      what: 'expected shape [any, any, any, 3], got [1, 8, 8, 1]',
    });
  });
});

describe('parseSwinConfig', () => {
  it('takes the defaults of the reference', () => {
    expect(parseSwinConfig({ model_type: 'swin' })).toEqual({
      imageSize: [224, 224],
      patchSize: 4,
      numChannels: 3,
      embedDim: 96,
      depths: [2, 2, 6, 2],
      numHeads: [3, 6, 12, 24],
      windowSize: 7,
      mlpRatio: 4,
      qkvBias: true,
      hiddenDropoutProb: 0,
      attentionProbsDropoutProb: 0,
      dropPathRate: 0.1,
      hiddenAct: 'gelu',
      useAbsoluteEmbeddings: false,
      initializerRange: 0.02,
      layerNormEps: 1e-5,
      outIndices: [4],
    });
  });

  it.each([
    [{ out_indices: [2, -1] }, [2, 4]],
    [{ out_features: ['stem', 'stage3'] }, [0, 3]],
    [{ out_features: ['stage2'], out_indices: [2] }, [2]],
  ])('reads the outputs of %j', (json, outIndices) => {
    expect(parseSwinConfig(json).outIndices).toEqual(outIndices);
  });

  it.each([
    [{ embed_dim: 'wide', depths: [] }, /Swin config: embed_dim: .*, got "wide"; depths: .*, got a list of 0/],
    [{ num_heads: [3, 6] }, /num_heads: expected one entry for each of the 4 stages of depths, got 2/],
    [{ embed_dim: 8 }, /num_heads.0: expected a divisor of the stage's 8 channels, got 3/],
    [{ patch_size: [4, 8] }, /patch_size: expected a square, got \[4, 8\]/],
    [{ out_features: ['stage7'] }, /out_features: expected some of stem, stage1, .*, got stage7/],
    [{ out_indices: [3, 2] }, /out_indices: expected ascending numbers from 0 to 4, got \[3, 2\]/],
    [{ out_indices: [9] }, /out_indices: expected ascending numbers from 0 to 4, got \[9\]/],
    [{ out_indices: [] }, /out_indices: expected ascending numbers from 0 to 4, got \[\]/],
    [null, /Swin config: all of it: .*, got null/],
    [{ out_features: ['stage1'], out_indices: [2] }, /out_indices: expected the stages of out_features \(1\), got 2/],
  ])('refuses %j', (json, message) => {
    expect(() => parseSwinConfig(json)).toThrow(message);
  });
});
