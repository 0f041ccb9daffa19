import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { SamMaskOutputs } from '../../src/models/sam/index.js';
import { parseSamusConfig, type Samus } from '../../src/models/samus/index.js';
import { CheckpointedTape, type ForwardContext, inference } from '../../src/nn/index.js';
import { loadMasker, loadSamus } from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const PUBLISHED = fixturePath('samus', 'published.pth');

async function open(): Promise<{ golden: GoldenCase; model: Samus }> {
  return { golden: await GoldenCase.read('samus'), model: (await loadSamus(PUBLISHED)).model };
}

function run(
  model: Samus,
  golden: GoldenCase,
  context: ForwardContext,
  pixels = golden.image('in.pixel_values'),
): SamMaskOutputs {
  const features = model.encodeImage(pixels, context);
  const prompt = { points: golden.tensor<tf.Tensor4D>('in.input_points'), labels: golden.tensor<tf.Tensor3D>('in.input_labels') };
  return model.decodeMasks({ features, ...prompt, multimask: false }, context);
}

describe('SAMUS', () => {
  it('masks and scores for a point inside and one outside equal the reference', async () => {
    const { golden, model } = await open();
    const outputs = run(model, golden, inference);
    await expectClose(outputs.predMasks, golden.tensor('out.pred_masks'), TOLERANCE.masker);
    await expectClose(outputs.iouScores, golden.tensor('out.iou_scores'), TOLERANCE.masker);
    // The authors repeat grey images of one channel.
    const grey = tf.tile(tf.slice(golden.image('in.pixel_values'), [0, 0, 0, 0], [2, 64, 64, 1]), [1, 1, 1, 3]);
    await expectClose(run(model, golden, inference, grey).predMasks, golden.tensor('out.grey'), TOLERANCE.masker);
  });

  it('the maps of both branches after each block equal the reference', async () => {
    const { golden, model } = await open();
    const blocks: Record<string, tf.Tensor | undefined>[] = [];
    const watching: ForwardContext = {
      ...inference,
      block(owners, given, fn) {
        const outputs = inference.block(owners, given, fn);
        blocks.push(Object.fromEntries(Object.entries(outputs).map(([name, map]) => [name, map && tf.keep(map.clone())])));
        return outputs;
      },
    };
    const { embeddings } = model.encodeImage(golden.image('in.pixel_values'), watching);
    await expectClose(embeddings, golden.image('mid.embeddings'), TOLERANCE.encoder);
    const [branch, embedded, ...layers] = blocks;
    await expectClose(branch?.['cnn'] as tf.Tensor, golden.tensor('mid.cnn'), TOLERANCE.encoder);
    const start = tf.add(golden.tensor('mid.adapted'), golden.tensor('mid.positions'));
    await expectClose(embedded?.['x'] as tf.Tensor, start, TOLERANCE.encoder);
    expect(layers.length).toBe(5); // and the neck
    for (const i of [0, 1, 2, 3]) {
      const { x, y, cnn } = layers[i] ?? {};
      await expectClose((x ?? y) as tf.Tensor, golden.tensor(`mid.layers.${i}.x`), TOLERANCE.encoder);
      // Only the layers with global attention change the branch.
      expect(cnn !== undefined).toBe(i % 2 === 1);
      if (cnn !== undefined) await expectClose(cnn, golden.tensor(`mid.layers.${i}.cnn`), TOLERANCE.encoder);
    }
    tf.dispose(blocks as unknown as tf.TensorContainer);
  });

  it('gradients of all parameters equal the reference', async () => {
    const { golden, model } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const outputs = run(model, golden, tape);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.d_masks')],
      [outputs.iouScores, golden.tensor('in.d_iou')],
    ]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.maskerGradient)).toEqual([]);
    const without = [...model.namedParameters()].map(([path]) => path).filter((path) => !golden.has(`grad.${path}`));
    // What boxes and earlier masks would be embedded with, and a buffer.
    expect(without.filter((path) => !path.includes('mask_embed') && !path.includes('positional_embedding'))).toEqual([
      'prompt_encoder.point_embed.2.weight',
      'prompt_encoder.point_embed.3.weight',
    ]);
  });

  it('leaves its results alone behind, and nothing after a training pass', async () => {
    const { golden, model } = await open();
    const pixels = golden.image('in.pixel_values');
    expect(await leakOf(() => model.encodeImage(pixels, inference))).toBe(1);
    const prompts = {
      points: golden.tensor<tf.Tensor4D>('in.input_points'),
      labels: golden.tensor<tf.Tensor3D>('in.input_labels'),
    };
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const outputs = model.decodeMasks({ features: model.encodeImage(pixels, tape), ...prompts, multimask: false }, tape);
      const ones = tf.onesLike(outputs.predMasks);
      const { gradients } = tape.backward([[outputs.predMasks, ones]]);
      tf.dispose([ones, ...gradients.values()]);
      tape.dispose();
      tf.dispose({ ...outputs });
    });
    expect(leak).toBe(0);
  });
});

describe('weights', () => {
  const dir = temporaryFolder('samus');

  it('a folder with config.json holds the same model as the published file', async () => {
    const { golden, model } = await open();
    await saveCheckpoint(model, join(dir, 'model.safetensors'));
    const sizes = { image_size: 64, patch_size: 8 };
    const vision = {
      ...sizes,
      hidden_size: 12,
      output_channels: 16,
      num_hidden_layers: 4,
      num_attention_heads: 3,
      window_size: 3,
      global_attn_indexes: [1, 3],
      num_pos_feats: 8,
      cnn_channels: [4, 6, 8],
      pos_embed_size: 16,
    };
    const prompts = { ...sizes, hidden_size: 16, mask_input_channels: 8 };
    const decoder = { hidden_size: 16, mlp_dim: 20, iou_head_hidden_dim: 12 };
    const json = { model_type: 'samus', vision_config: vision, prompt_encoder_config: prompts, mask_decoder_config: decoder };
    await writeFile(join(dir, 'config.json'), JSON.stringify(json));
    const { model: again, config } = await loadSamus(dir);
    expect(config).toEqual(model.config);
    await expectClose(run(again, golden, inference).predMasks, golden.tensor('out.pred_masks'), TOLERANCE.masker);
  });

  it('of a SAM are refused as SAMUS, and of SAMUS as a SAM', async () => {
    const sam = fixturePath('sam-authors', 'published.pth');
    await mkdir(join(dir, 'sam'));
    await copyFile(sam, join(dir, 'sam', 'sam_vit_b.pth'));
    const asSamus = { code: 'E_MODEL_TYPE', where: 'sam_vit_b.pth', what: /expected model_type samus, got "?sam\b/ } as const;
    await expectError(loadSamus(join(dir, 'sam', 'sam_vit_b.pth')), asSamus);
    await expectError(loadMasker(PUBLISHED), { code: 'E_MODEL_TYPE', where: 'published.pth', what: 'samus' });
  });

  it('with a config.json of other sizes are refused, naming the tensors', async () => {
    const other = join(dir, 'other');
    await mkdir(other);
    await copyFile(PUBLISHED, join(other, 'published.pth'));
    await writeFile(join(other, 'config.json'), '{"model_type": "samus"}');
    await expectError(loadSamus(other), {
      code: 'E_WEIGHTS_MISMATCH',
      what: 'vision_encoder.pos_embed: expected shape [1, 64, 64',
    });
  });
});

describe('a configuration', () => {
  it('is that of the published model where it says nothing', () => {
    const { vision, promptEncoder, maskDecoder } = parseSamusConfig({});
    expect(vision).toMatchObject({
      imageSize: 256,
      patchSize: 8,
      patchKernelSize: 16,
      cnnChannels: [64, 128, 256],
      adapterDim: 192,
      posEmbedSize: 64,
      hiddenSize: 768,
      windowSize: 14,
      globalAttnIndexes: [2, 5, 8, 11],
    });
    expect([promptEncoder.imageSize, maskDecoder.mlpDim]).toEqual([256, 2048]);
  });

  it.each([
    [
      'a branch that ends at another map',
      { cnn_channels: [64, 128] },
      /patch_size.*expected 4, as cnn_channels halves the image 2 times/s,
    ],
    ['positions that do not halve to the map', { pos_embed_size: 48 }, /pos_embed_size.*expected 32 or a doubling of it/s],
    ['a patch smaller than its step', { patch_kernel_size: 4 }, /patch_kernel_size.*expected from patch_size, 8/s],
    ['an image that patches do not divide', { image_size: 250 }, /image_size/],
    ['a width that is none', { adapter_dim: 1e9 }, /adapter_dim/],
    ['no positions', { use_abs_pos: false }, /use_abs_pos/],
  ])('%s is refused', (_name, vision, message) => {
    expect(() => parseSamusConfig({ vision_config: vision })).toThrow(message);
  });
});
