import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { applyLora, loraPresets } from '../../src/lora/index.js';
import { type ObjectMemory, parseSam2VideoConfig, type Sam2Video } from '../../src/models/sam2/index.js';
import { MemoryAttention } from '../../src/models/sam2/memory-attention.js';
import { MemoryEncoder } from '../../src/models/sam2/memory-encoder.js';
import { CheckpointedTape, inference, type Module } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { fixtureJson, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { TOLERANCE } from '../support/tolerances.js';
import { videoModel } from '../support/video-fixture.js';

useBackend();

const SIDE = 4;

/** The module at a path. */
function part<M extends Module>(model: Module, path: string, type: new (...args: never[]) => M): M {
  const found = [...model.namedModules()].find(([name]) => name === path)?.[1];
  if (!(found instanceof type)) throw new Error(`there is no ${path}`);
  return found;
}

describe('memory attention', () => {
  it('attends to maps with turned keys and to pointers without, as the reference; gradients too', async () => {
    const golden = await GoldenCase.read('sam2-video-blocks');
    const attention = part(await videoModel(), 'memory_attention', MemoryAttention);
    const image = golden.tensor<tf.Tensor3D>('attention.in.image').reshape([2, SIDE, SIDE, -1]) as tf.Tensor4D;
    const split = (name: string) => {
      const all = golden.tensor<tf.Tensor3D>(name);
      const maps = all.shape[1] - 4;
      return [all.slice([0, 0, 0], [-1, maps, -1]), all.slice([0, maps, 0], [-1, 4, -1])] as const;
    };
    const [maps, pointers] = split('attention.in.memory');
    const [mapPositions, pointerPositions] = split('attention.in.places');
    const positions = golden.tensor<tf.Tensor2D>('attention.in.positions');
    const memory = { maps, pointers, mapPositions, pointerPositions };
    const expected = golden.tensor('attention.out').reshape(image.shape);
    await expectClose(attention.forward(image, positions, memory, inference), expected, TOLERANCE.masker);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const out = attention.forward(image, positions, memory, tape);
    const { gradients } = tape.backward([[out, golden.tensor('attention.in.d').reshape(image.shape)]]);
    expect(await wrongGradients(attention, golden, gradients, TOLERANCE.maskerGradient, 'attention.grad.')).toEqual([]);
  });
});

describe('the memory encoder', () => {
  it('makes the memories of the reference; gradients too', async () => {
    const golden = await GoldenCase.read('sam2-video-blocks');
    const encoder = part(await videoModel(), 'memory_encoder', MemoryEncoder);
    const [image, masks] = [golden.image('encoder.in.image'), golden.image('encoder.in.masks')];
    await expectClose(encoder.forward(image, masks, inference), golden.image('encoder.out'), TOLERANCE.masker);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const { gradients } = tape.backward([[encoder.forward(image, masks, tape), golden.image('encoder.in.d')]]);
    expect(await wrongGradients(encoder, golden, gradients, TOLERANCE.maskerGradient, 'encoder.grad.')).toEqual([]);
  });
});

describe('training of the memory', () => {
  /** Two frames: a mask is predicted, remembered, and another is predicted from it. Gradients of the second mask. */
  async function gradientsOf(model: Sam2Video): Promise<Set<string>> {
    const tape = new CheckpointedTape(Rng.seeded(1));
    const pixels = tf.randomNormal([2, 64, 64, 3], 0, 1, 'float32', 5) as tf.Tensor4D;
    const [first, second] = [0, 1].map((i) => model.encodeFrame(pixels.slice([i, 0, 0, 0], [1, -1, -1, -1]), tape)) as [
      ReturnType<Sam2Video['encodeFrame']>,
      ReturnType<Sam2Video['encodeFrame']>,
    ];
    const points = { points: tf.tensor4d([20, 30], [1, 1, 1, 2]), labels: tf.tensor3d([1], [1, 1, 1], 'int32') };
    const start = { ...first, embeddings: model.recall(first.embeddings, undefined, tape) };
    const seen = model.decodeObjects({ features: start, ...points, multimask: true }, tape);
    const visible = { ...seen, objectScoreLogits: tf.tensor2d([[3]]) };
    const memory: ObjectMemory = {
      frames: [{ map: model.memorise(first.embeddings, visible, true, tape), age: 0 }],
      pointers: tf.tidy(() => seen.pointers.reshape([1, 1, -1])),
      pointerTimes: tf.randomNormal([1, 32], 0, 1, 'float32', 6),
    };
    const embeddings = model.recall(second.embeddings, memory, tape);
    const outputs = model.decodeObjects({ features: { ...second, embeddings }, multimask: true }, tape);
    const { gradients } = tape.backward([[outputs.objectScoreLogits, tf.ones([1, 1])]]);
    const named = new Set<string>();
    for (const [path, parameter] of model.namedParameters()) {
      const gradient = gradients.get(parameter);
      if (gradient !== undefined && (await gradient.abs().max().data())[0] !== 0) named.add(path);
    }
    return named;
  }

  it('reaches attention, encoder, times and image features through a remembered frame', async () => {
    const named = await gradientsOf(await videoModel());
    expect([...named]).toEqual(
      expect.arrayContaining([
        'memory_attention.layers.0.cross_attn_image.k_proj.weight',
        'memory_attention.layers.1.self_attn.q_proj.weight',
        'memory_encoder.mask_downsampler.layers.0.conv.weight',
        'memory_encoder.memory_fuser.layers.1.scale',
        'memory_temporal_positional_encoding',
        'temporal_positional_encoding_projection_layer.weight',
        'vision_encoder.backbone.patch_embed.projection.weight',
      ]),
    );
  });

  it('adapts the layers that a preset names, and only those', async () => {
    const model = await videoModel();
    applyLora(model, loraPresets['memory-attention'] as NonNullable<(typeof loraPresets)[string]>, Rng.seeded(1));
    const named = await gradientsOf(model);
    // A starts behind B, which is zero.
    expect([...named].filter((path) => !path.endsWith('lora_B.weight') && !path.includes('lora_B'))).toEqual([]);
    // Two layers with two attentions of four projections each.
    expect(named.size).toBe(16);
    expect([...named].every((path) => path.startsWith('memory_attention.layers.'))).toBe(true);
  });
});

describe('the configuration', () => {
  const json = fixtureJson('sam2-video', 'config.json') as Record<string, unknown>;
  it.each([
    ['memory_encoder_hidden_size', { memory_encoder_hidden_size: 24 }, 'expected 32, as fpn_hidden_size, got 24'],
    ['image_size', { image_size: 128 }, 'expected 64, as in prompt_encoder_config, got 128'],
    ['memory_encoder_output_channels', { memory_encoder_output_channels: 12 }, 'expected a divisor of 32, got 12'],
    ['mask_downsampler_stride', { mask_downsampler_stride: 3 }, 'expected 2, 4 or 16, got 3'],
    ['memory_fuser_padding', { memory_fuser_padding: 0 }, 'expected half of a kernel of 5, got 0'],
    ['memory_attention_num_attention_heads', { memory_attention_num_attention_heads: 16 }, 'multiple of 4, got 2'],
  ])('refuses a %s that fits nothing else', (_name, change, message) => {
    expect(() => parseSam2VideoConfig({ ...json, ...change })).toThrow(message);
  });

  it('of an image model takes the published memory, where that fits', () => {
    expect(parseSam2VideoConfig({}).memory).toMatchObject({
      numMaskmem: 7,
      maxObjectPointersInEncoder: 16,
      maxCondFrameNum: undefined,
    });
  });
});
