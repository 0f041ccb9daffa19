import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { GroundingDino, maskTextLogits, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { GroupNorm, inference } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const tiny = {
  backbone_config: { embed_dim: 4, depths: [1, 1], num_heads: [1, 2], window_size: 2, out_indices: [1, 2] },
  text_config: { vocab_size: 1040, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8 },
  d_model: 32,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_ffn_dim: 16,
  decoder_ffn_dim: 16,
  encoder_attention_heads: 4,
  decoder_attention_heads: 4,
  num_feature_levels: 3,
  num_queries: 5,
};

function images(h: number, w: number): { pixelValues: tf.Tensor4D; inputIds: tf.Tensor2D } {
  const pixelValues = tf.sin(tf.range(0, 2 * h * w * 3)).reshape([2, h, w, 3]) as tf.Tensor4D;
  const inputIds = tf.tensor2d([101, 5, 1012, 6, 1012, 102, 101, 7, 8, 9, 1012, 102], [2, 6], 'int32');
  return { pixelValues, inputIds };
}

describe('GroupNorm', () => {
  it('agrees with torch where a group has several channels', async () => {
    const golden = await GoldenCase.read('grounding-dino-sampling');
    const norm = new GroupNorm(3, 6);
    golden.load(norm, 'norm.');
    await expectClose(norm.forward(golden.image('in.maps')), golden.image('out.maps'), 1e-5);
  });

  it('refuses groups that do not divide the channels', () => {
    expect(() => new GroupNorm(4, 6)).toThrow('4 groups do not divide 6 channels');
  });
});

describe('maskTextLogits', () => {
  it('puts -inf where there is no text', async () => {
    const logits = tf.tensor3d([1, 2, 3, 4, 5, 6], [2, 1, 3]);
    const mask = tf.tensor2d([1, 1, 1, 1, 0, 0], [2, 3], 'int32');
    const no = Number.NEGATIVE_INFINITY;
    expect(await maskTextLogits(logits, mask, 5).array()).toEqual([[[1, 2, 3, no, no]], [[4, no, no, no, no]]]);
  });
});

describe('parseGroundingDinoConfig', () => {
  it.each([
    [{ backbone_config: { model_type: 'resnet' } }, /backbone_config.model_type: expected swin or timm_backbone, got "resnet"/],
    [{ use_timm_backbone: true, backbone: 'resnet50' }, /use_timm_backbone: it names no backbone/],
  ])('names a backbone that it cannot build: %j', (json, what) => {
    expectError(() => parseGroundingDinoConfig(json), { code: 'E_MODEL_CONFIG', what });
  });

  it("takes the reference's defaults", () => {
    const config = parseGroundingDinoConfig({});
    expect(config).toMatchObject({ numQueries: 900, dModel: 256, maxTextLen: 256, fusionDroppath: 0.1, twoStage: true });
    expect(config.backboneConfig).toMatchObject({ kind: 'swin', config: { outIndices: [2, 3, 4] } });
    expect(config.textConfig.hiddenSize).toBe(768);
  });

  it('lists what cannot be', () => {
    const json = { ...tiny, d_model: 40, encoder_attention_heads: 3, query_dim: 2 };
    const parse = () => parseGroundingDinoConfig(json);
    expectError(parse, {
      code: 'E_MODEL_CONFIG',
      where: 'config.json of a grounding-dino model',
      what: /encoder_attention_heads: 3 does not divide d_model, 40.*d_model: 40 is not a multiple of 32.*query_dim: 2/,
    });
    expectError(() => parseGroundingDinoConfig({ num_queries: -1, dropout: 'no' }), {
      code: 'E_MODEL_CONFIG',
      where: 'config.json of a grounding-dino model',
      what: /num_queries.*dropout/,
    });
  });
});

describe('GroundingDino from scratch', () => {
  it.each([
    ['as published', {}],
    ['with queries from the first stage', { embedding_init_target: false }],
    ['with one stage', { two_stage: false }],
  ])('starts with finite outputs and boxes at their references, %s', async (_, changes) => {
    const model = new GroundingDino(parseGroundingDinoConfig({ ...tiny, ...changes }));
    model.initialise(Rng.seeded(2));
    const { layers, encoder } = model.forward(images(30, 41), inference);
    expect(encoder === undefined).toBe('two_stage' in changes);
    expect(layers).toHaveLength(2);
    for (const { logits, predBoxes } of layers) {
      expect(logits.shape).toEqual([2, 5, 6]);
      expect((await logits.data()).every(Number.isFinite)).toBe(true);
      await expectClose(predBoxes, (layers[0] ?? { predBoxes }).predBoxes, 1e-5);
    }
  });

  it('gives the same answer with a full mask as with none', async () => {
    const model = new GroundingDino(parseGroundingDinoConfig(tiny));
    model.initialise(Rng.seeded(2));
    const inputs = images(30, 41);
    const [, plain] = model.forward(inputs, inference).layers;
    const pixelMask = tf.ones([2, 30, 41], 'int32') as tf.Tensor3D;
    const [, masked] = model.forward({ ...inputs, pixelMask, attentionMask: tf.onesLike(inputs.inputIds) }, inference).layers;
    await expectClose(masked?.logits as tf.Tensor, plain?.logits as tf.Tensor, 1e-5);
    await expectClose(masked?.predBoxes as tf.Tensor, plain?.predBoxes as tf.Tensor, 1e-5);
  });

  it('says when there are more queries than cells', () => {
    const model = new GroundingDino(parseGroundingDinoConfig({ ...tiny, num_queries: 500 }));
    model.initialise(Rng.seeded(2));
    expectError(() => model.forward(images(30, 41), inference), {
      code: 'E_IMAGE_TOO_SMALL',
      where: 'grounding-dino',
      what: 'num_queries is 500, but the image has only',
    });
  });
});
