import { describe, expect, it } from '@jest/globals';
import { GroundingDino, groundingDinoConfigFromShapes, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { torchShape } from '../../src/weights/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';

useBackend();

const base = {
  model_type: 'swin',
  embed_dim: 128,
  depths: [2, 2, 18, 2],
  num_heads: [4, 8, 16, 32],
  window_size: 12,
  out_indices: [2, 3, 4],
};

function shapesOf(json: object) {
  const parameters = [...new GroundingDino(parseGroundingDinoConfig(json)).namedParameters()];
  return new Map(parameters.map(([key, { shape, layout }]) => [key, { shape: torchShape(shape, layout) }]));
}

describe('a checkpoint without config.json', () => {
  it.each([
    ['tiny', {}],
    ['base', { backbone_config: base }],
    [
      'other sizes',
      { backbone_config: base, d_model: 128, num_feature_levels: 5, encoder_layers: 3, decoder_n_points: 2, num_queries: 77 },
    ],
  ])('is described by its shapes: %s', (_name, json) => {
    expect(parseGroundingDinoConfig(groundingDinoConfigFromShapes(shapesOf(json)))).toEqual(parseGroundingDinoConfig(json));
  });

  it('is refused when its shapes do not tell', () => {
    const shapes = shapesOf({});
    shapes.delete('model.level_embed');
    expectError(() => groundingDinoConfigFromShapes(shapes), {
      code: 'E_MODEL_INCOMPLETE',
      where: 'Grounding DINO weights without config.json',
      what: 'there is no model.level_embed',
      fix: 'Put its config.json beside them',
    });
    const odd = shapesOf({ encoder_attention_heads: 2, encoder_n_points: 3 });
    expectError(() => groundingDinoConfigFromShapes(odd), {
      code: 'E_MODEL_INCOMPLETE',
      where: 'Grounding DINO weights without config.json',
      what: 'attention_weights.bias does not fit 8 heads and 4 levels',
    });
  });
});
