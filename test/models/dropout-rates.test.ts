import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { LoraLinear } from '../../src/lora/index.js';
import { BertEmbeddings } from '../../src/models/bert/bert-embeddings.js';
import { BertLayer } from '../../src/models/bert/bert-layer.js';
import { type BertConfig, parseBertConfig } from '../../src/models/bert/index.js';
import { GroundingDino, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { parseSwinConfig, type SwinConfig } from '../../src/models/swin/index.js';
import { SwinBlock } from '../../src/models/swin/swin-block.js';
import { SwinEmbeddings } from '../../src/models/swin/swin-embeddings.js';
import { CheckpointedTape, Draws, type ForwardContext, Linear, type Module, PassSeed } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectShare } from '../support/draws.js';

useBackend();

/**
 * Each place where a layer drops, seen alone: all weights are zero but those that carry a constant to that place, so that the
 * draws can be read off the output. An agreement with the reference cannot see a rate, as it is taken without dropout.
 */
const RATE = 0.3;

const training = () => new CheckpointedTape(Rng.seeded(1));

/** Zeroes all parameters but those named, which get the value of each index. */
function only<M extends Module>(module: M, values: Readonly<Record<string, (i: number) => number>>): M {
  const left = new Set(Object.keys(values));
  for (const [path, parameter] of module.namedParameters()) {
    left.delete(path);
    const valueAt = values[path] ?? (() => 0);
    const size = parameter.shape.reduce((a, b) => a * b, 1);
    parameter.assign(
      tf.tensor(
        Float32Array.from({ length: size }, (_, i) => valueAt(i)),
        [...parameter.shape],
      ),
    );
  }
  expect([...left]).toEqual([]);
  return module;
}

const one = () => 1;
const identity = (width: number) => (i: number) => Number(Math.floor(i / width) === i % width);

/** Expects that the share of values for which `dropped` holds is the rate. */
async function expectDropped(x: tf.Tensor, dropped: (value: number) => boolean): Promise<void> {
  const values = await x.data();
  expectShare(values.filter(dropped).length, values.length, RATE);
}

describe('BERT drops at the rates of its config', () => {
  const WIDTH = 32;
  const config = (rates: Partial<BertConfig>): BertConfig => ({
    ...parseBertConfig({ hidden_size: WIDTH, intermediate_size: 8, num_attention_heads: 16, vocab_size: 50 }),
    hiddenDropoutProb: 0,
    attentionProbsDropoutProb: 0,
    ...rates,
  });
  const hidden = config({ hiddenDropoutProb: RATE });
  /** The states of 400 sequences of one word each, from states of zero. */
  const run = (layer: BertLayer) => layer.forward(tf.zeros([400, 1, WIDTH]), tf.zeros([400, 1, 1, 1]), training());

  it('in the embeddings', async () => {
    const ids = tf.ones<tf.Rank.R2>([8, 40], 'int32');
    const embeddings = only(new BertEmbeddings(hidden), { 'LayerNorm.bias': one });
    const x = embeddings.forward({ inputIds: ids, tokenTypeIds: ids, positionIds: ids }, training());
    await expectDropped(x, (value) => value === 0);
  });

  // A norm makes the dropped ones of a row negative, the others positive.
  it('after the attention', async () => {
    const layer = only(new BertLayer(hidden), {
      'attention.output.dense.bias': one,
      'attention.output.LayerNorm.weight': one,
      'output.LayerNorm.weight': one,
    });
    await expectDropped(run(layer), (value) => value < 0);
  });

  it('after the MLP', async () => {
    const layer = only(new BertLayer(hidden), { 'output.dense.bias': one, 'output.LayerNorm.weight': one });
    await expectDropped(run(layer), (value) => value < 0);
  });

  it('in the attention, head by head', async () => {
    const layer = only(new BertLayer(config({ attentionProbsDropoutProb: RATE })), {
      'attention.self.value.bias': (i) => (i % 2 === 0 ? 1 : 2),
      'attention.output.dense.weight': identity(WIDTH),
      'attention.output.LayerNorm.weight': one,
      'output.LayerNorm.weight': one,
    });
    // The two channels of a head differ by the values' bias, unless the head's only score is dropped.
    const [first, second] = tf.unstack(tf.reshape(run(layer), [400, 16, 2]), -1);
    await expectDropped(tf.sub(first as tf.Tensor, second as tf.Tensor), (value) => Math.abs(value) < 1e-3);
  });
});

describe('Swin drops at the rates of its config', () => {
  const CHANNELS = 16;
  const config = (rates: Partial<SwinConfig>): SwinConfig => ({
    ...parseSwinConfig({ embed_dim: CHANNELS, depths: [1], num_heads: [8], window_size: 1, mlp_ratio: 1, drop_path_rate: 0 }),
    ...rates,
  });
  const block = (rates: Partial<SwinConfig>, dropPathProb = 0) =>
    new SwinBlock(config(rates), { channels: CHANNELS, heads: 8, shift: 0, dropPathProb });
  /** What a block adds to a map of zeros, for some hundred samples of 2 x 3 windows of one token. */
  const run = (layer: SwinBlock, samples = 300) => layer.forward(tf.zeros([samples, 2, 3, CHANNELS]), undefined, training());
  const isZero = (value: number) => value === 0;

  it('in the embeddings', async () => {
    const embeddings = only(new SwinEmbeddings(config({ hiddenDropoutProb: RATE })), { 'norm.bias': one });
    await expectDropped(embeddings.forward(tf.zeros([4, 40, 80, 3]), training()), isZero);
  });

  it.each([
    ['where windows are read in place', 0],
    ['where windows are cut out', 1e-9],
  ])('after the attention, %s', async (_name, attentionProbsDropoutProb) => {
    const layer = only(block({ hiddenDropoutProb: RATE, attentionProbsDropoutProb }), { 'attention.output.dense.bias': one });
    await expectDropped(run(layer), isZero);
  });

  it('after the MLP', async () => {
    await expectDropped(run(only(block({ hiddenDropoutProb: RATE }), { 'output.dense.bias': one })), isZero);
  });

  it('in the attention, head by head', async () => {
    const layer = only(block({ attentionProbsDropoutProb: RATE }), {
      'attention.self.value.bias': one,
      'attention.output.dense.weight': identity(CHANNELS),
    });
    const heads = tf.max(tf.reshape(run(layer), [-1, 8, 2]), -1);
    await expectDropped(heads, isZero);
  });

  it('whole samples past the attention, and never past the MLP', async () => {
    const layer = only(block({}, RATE), { 'attention.output.dense.bias': one });
    await expectDropped(tf.max(run(layer, 3000), [1, 2, 3]), isZero);
    expect((await tf.min(run(only(layer, { 'output.dense.bias': one }))).data())[0]).toBe(1);
  });
});

describe('Grounding DINO drops at the rates of its config', () => {
  const json = {
    backbone_config: { embed_dim: 4, depths: [1, 1], num_heads: [1, 2], window_size: 2, out_indices: [1, 2], drop_path_rate: 0 },
    text_config: {
      vocab_size: 1040,
      hidden_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 8,
      hidden_dropout_prob: 0,
      attention_probs_dropout_prob: 0,
    },
    d_model: 32,
    encoder_layers: 1,
    decoder_layers: 1,
    encoder_ffn_dim: 16,
    decoder_ffn_dim: 16,
    encoder_attention_heads: 4,
    decoder_attention_heads: 4,
    num_feature_levels: 3,
    num_queries: 5,
    dropout: 0,
    fusion_droppath: 0,
  };
  const pixelValues = () => tf.sin(tf.range(0, 2 * 30 * 41 * 3)).reshape([2, 30, 41, 3]) as tf.Tensor4D;
  const inputIds = () => tf.tensor2d([101, 5, 1012, 6, 1012, 102, 101, 7, 8, 9, 1012, 102], [2, 6], 'int32');

  it.each(['dropout', 'attention_dropout', 'activation_dropout', 'text_enhancer_dropout', 'fusion_dropout', 'fusion_droppath'])(
    'with %s alone',
    async (field) => {
      const model = new GroundingDino(parseGroundingDinoConfig({ ...json, [field]: RATE }));
      model.initialise(Rng.seeded(2));
      // Stochastic depth multiplies vectors that start at 1e-4.
      for (const [path, parameter] of model.namedParameters())
        if (path.endsWith('_param')) parameter.assign(tf.onesLike(parameter.value));
      /** The outputs if every draw is `draw`: all is dropped below the rate, and nothing from it on. */
      const outputsAt = async (draw: number) => {
        const { layers } = model.forward({ pixelValues: pixelValues(), inputIds: inputIds() }, constantDraws(draw));
        const [{ predBoxes, logits }] = layers as [(typeof layers)[number]];
        return [...(await predBoxes.data()), ...(await logits.data())];
      };
      const [all, stillAll, nothing, stillNothing] = [0.01, RATE - 1e-3, RATE + 1e-3, 0.99].map(outputsAt);
      expect((await all)?.every(Number.isFinite)).toBe(true);
      expect(await stillAll).toEqual(await all);
      expect(await stillNothing).toEqual(await nothing);
      expect(await nothing).not.toEqual(await all);
    },
  );
});

describe('an adapter drops at its rate', () => {
  it('the inputs of its update, and not of the layer', async () => {
    const size = 64;
    const layer = only(new LoraLinear(new Linear(size, size), { rank: size, alpha: size, dropout: RATE }), {
      weight: identity(size),
      'lora_A.weight': identity(size),
      'lora_B.weight': identity(size),
    });
    layer.enterBlock({ training: true, draws: new Draws(new PassSeed(1)) });
    const values = await layer.forward(tf.ones([200, size])).data();
    expectShare(values.filter((value) => value === 1).length, values.length, RATE);
    for (const value of new Set(values)) if (value !== 1) expect(value).toBeCloseTo(1 + 1 / (1 - RATE), 5);
  });
});

/** A training pass in which every draw in [0, 1) is the same. */
function constantDraws(draw: number): ForwardContext {
  const draws = Object.assign(new Draws(new PassSeed(0)), {
    drop: <T extends tf.Tensor>(x: T, rate: number) => tf.mul(x, draw < rate ? 0 : 1 / (1 - rate)) as T,
  });
  return {
    training: true,
    block: (_owners, inputs, fn) => fn(inputs, { training: true, draws }),
    detach: (x) => x.clone(),
  };
}
