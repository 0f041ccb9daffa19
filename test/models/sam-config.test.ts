import { describe, expect, it } from '@jest/globals';
import { parseSamConfig } from '../../src/models/sam/index.js';
import { parseVitConfig } from '../../src/models/vit/index.js';

const bad = (json: unknown) => {
  try {
    parseSamConfig(json);
  } catch (error) {
    return (error as { issues: { path: string[]; message: string }[] }).issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
  }
  return [];
};

describe('the configuration of SAM', () => {
  it("takes the reference's defaults for what is missing or null, those of ViT-B", () => {
    const defaults = parseSamConfig({});
    expect(defaults.vision).toEqual({
      hiddenSize: 768,
      outputChannels: 256,
      numHiddenLayers: 12,
      numAttentionHeads: 12,
      numChannels: 3,
      imageSize: 1024,
      patchSize: 16,
      hiddenAct: 'gelu',
      layerNormEps: 1e-6,
      qkvBias: true,
      useAbsPos: true,
      useRelPos: true,
      windowSize: 14,
      globalAttnIndexes: [2, 5, 8, 11],
      numPosFeats: 128,
      mlpDim: 3072,
    });
    expect(defaults.promptEncoder).toEqual({
      hiddenSize: 256,
      imageSize: 1024,
      patchSize: 16,
      maskInputChannels: 16,
      numPointEmbeddings: 4,
      hiddenAct: 'gelu',
      layerNormEps: 1e-6,
    });
    expect(defaults.maskDecoder).toEqual({
      hiddenSize: 256,
      hiddenAct: 'relu',
      mlpDim: 2048,
      numHiddenLayers: 2,
      numAttentionHeads: 8,
      attentionDownsampleRate: 2,
      numMultimaskOutputs: 3,
      iouHeadDepth: 3,
      iouHeadHiddenDim: 256,
      layerNormEps: 1e-6,
    });
    expect(parseSamConfig({ vision_config: null, prompt_encoder_config: null, mask_decoder_config: null })).toEqual(defaults);
    expect(parseSamConfig({ model_type: 'sam', vision_config: {}, mask_decoder_config: { mlp_dim: 2048 } })).toEqual(defaults);
  });

  it('derives the width of the feed-forward part, unless it is given', () => {
    expect(parseVitConfig({ hidden_size: 24, num_attention_heads: 2, mlp_ratio: 2.3 }).mlpDim).toBe(55);
    expect(parseVitConfig({ mlp_dim: null }).mlpDim).toBe(3072);
    expect(parseVitConfig({ mlp_dim: 7, mlp_ratio: 2 }).mlpDim).toBe(7);
  });

  it('names every field that does not fit, or does not fit another one', () => {
    expect(
      bad({
        prompt_encoder_config: { hidden_size: 128, image_size: 512 },
        mask_decoder_config: { hidden_size: 64, num_attention_heads: 5 },
        vision_config: { num_pos_feats: 100 },
      }),
    ).toEqual([
      'prompt_encoder_config.hidden_size: expected 256, as output_channels, got 128',
      'prompt_encoder_config.image_size: expected 1024, as in vision_config, got 512',
      'mask_decoder_config.hidden_size: expected 256, as output_channels, got 64',
      'vision_config.num_pos_feats: expected 64, half of hidden_size, got 100',
      'prompt_encoder_config.patch_size: expected a map of 64, as the encoder gives, got one of 32',
      "mask_decoder_config.num_attention_heads: expected a divisor of the attentions' widths, 64 and 32, got 5",
    ]);
    expect(bad({ vision_config: { num_attention_heads: 7, patch_size: 2048 } })).toEqual([
      'vision_config.num_attention_heads: expected a divisor of hidden_size, 768, got 7',
      'vision_config.patch_size: expected at most image_size, 1024, got 2048',
    ]);
    expect(bad({ vision_config: { hidden_size: 'wide', window_size: -1 }, mask_decoder_config: 3 }).length).toBe(3);
    expect(bad({ prompt_encoder_config: { num_point_embeddings: 3 } })[0]).toMatch('prompt_encoder_config.num_point_embeddings');
  });
});
