import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  type BiomedClip,
  biomedClipHuggingFaceKeys,
  parseBiomedClipConfig,
  patchesAcross,
} from '../../src/models/biomed-clip/index.js';
import { CheckpointedTape, type ForwardContext, inference } from '../../src/nn/index.js';
import {
  biomedClipConfigs,
  loadBiomedClip,
  loadBiomedClipModel,
  loadMasker,
  readModelConfig,
} from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { readSafetensors, writeSafetensors } from '../../src/weights/formats/index.js';
import { saveCheckpoint, underTheirKeys } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const FOLDER = fixturePath('biomed-clip');
const HUGGING_FACE = fixturePath('biomed-clip-hugging-face');

async function load(folder: string): Promise<BiomedClip> {
  return loadBiomedClipModel(folder, await readModelConfig(folder, biomedClipConfigs));
}

async function open(folder = FOLDER) {
  const golden = await GoldenCase.read('biomed-clip');
  const inputIds = golden.tensor<tf.Tensor2D>('in.input_ids');
  const attentionMask = tf.cast(tf.notEqual(inputIds, 0), 'int32') as tf.Tensor2D;
  return { golden, model: await load(folder), inputs: { pixelValues: golden.image('in.pixel_values'), inputIds, attentionMask } };
}

/** A context that records the result of each block by the path of its module. */
function watching(model: BiomedClip): ForwardContext & { readonly seen: Map<string, tf.Tensor> } {
  const paths = new Map([...model.namedModules()].map(([path, module]) => [module as unknown, path]));
  const seen = new Map<string, tf.Tensor>();
  return {
    ...inference,
    seen,
    block(owners, given, fn) {
      const outputs = inference.block(owners, given, fn);
      const [path, result] = [paths.get(owners), outputs['y']];
      if (path !== undefined && result !== undefined) seen.set(path, tf.keep(result.clone()));
      return outputs;
    },
  };
}

describe('BiomedClip', () => {
  it('features and cosines under either naming equal the reference', async () => {
    for (const folder of [FOLDER, HUGGING_FACE]) {
      const { golden, model, inputs } = await open(folder);
      const { imageEmbeds, textEmbeds, logitsPerImage } = model.forward(inputs, inference);
      await expectClose(imageEmbeds, golden.tensor('out.image_embeds'), TOLERANCE.encoder);
      await expectClose(textEmbeds, golden.tensor('out.text_embeds'), TOLERANCE.encoder);
      await expectClose(logitsPerImage, golden.tensor('out.logits_per_image'), TOLERANCE.encoder);
    }
  });

  it('the state after each block equals the reference; of the last, the class token alone is computed', async () => {
    const { golden, model, inputs } = await open();
    const context = watching(model);
    model.forward(inputs, context);
    const names = golden.names('mid.');
    expect([...context.seen.keys()].sort()).toEqual(names.sort());
    for (const name of names) {
      const [whole, actual] = [golden.tensor<tf.Tensor3D>(`mid.${name}`), context.seen.get(name) as tf.Tensor3D];
      const last = name === 'visual.trunk.blocks.2';
      expect(actual.shape[1]).toBe(last ? 1 : whole.shape[1]);
      const [b, n, c] = actual.shape;
      await expectClose(actual, tf.slice(whole, [0, 0, 0], [b, n, c]), TOLERANCE.encoder);
    }
    tf.dispose([...context.seen.values()]);
  });

  it('gradients of all parameters equal the reference', async () => {
    const { golden, model, inputs } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const { logitsPerImage } = model.forward(inputs, tape);
    const { gradients } = tape.backward([[logitsPerImage, golden.tensor('in.d')]]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.encoderGradient)).toEqual([]);
  });

  it('a text is the same without its padding', async () => {
    const { golden, model, inputs } = await open();
    const short = tf.slice(inputs.inputIds, [1, 0], [1, 4]) as tf.Tensor2D;
    const { textEmbeds } = model.forward({ pixelValues: inputs.pixelValues, inputIds: short }, inference);
    await expectClose(textEmbeds, tf.slice(golden.tensor<tf.Tensor2D>('out.text_embeds'), [1, 0], [1, -1]), TOLERANCE.encoder);
  });

  it('states after some blocks and the rest give the features of the whole', async () => {
    const { model, inputs } = await open();
    const whole = model.visual.forward(inputs.pixelValues, inference);
    for (const count of [0, 1, 2]) {
      const states = model.visual.statesAfter(inputs.pixelValues, count, inference);
      await expectClose(model.visual.pool(states, count, inference), whole, 1e-6);
    }
  });

  it('leaves its results alone, and nothing after a training pass', async () => {
    const { model, inputs } = await open();
    expect(await leakOf(() => model.forward(inputs, inference))).toBe(3);
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const { logitsPerImage } = model.forward(inputs, tape);
      const ones = tf.onesLike(logitsPerImage);
      tf.dispose([ones, ...tape.backward([[logitsPerImage, ones]]).gradients.values()]);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });
});

describe('weights', () => {
  const dir = temporaryFolder('biomed-clip');

  it('go to Hugging Face’s names and back, every key and value', async () => {
    const { arrays } = await readSafetensors(join(FOLDER, 'model.safetensors'));
    const theirs = underTheirKeys(arrays, biomedClipHuggingFaceKeys);
    expect(theirs.has('vision_model.encoder.layers.2.self_attn.v_proj.bias')).toBe(true);
    const folder = join(dir, 'back');
    await mkdir(folder);
    await writeSafetensors(join(folder, 'model.safetensors'), theirs);
    await writeFile(join(folder, 'config.json'), JSON.stringify(await fixtureJson('biomed-clip', 'config.json')));
    await saveCheckpoint(await load(folder), join(dir, 'again.safetensors'));
    const { arrays: again } = await readSafetensors(join(dir, 'again.safetensors'));
    expect([...again.keys()].sort()).toEqual([...arrays.keys()].sort());
    for (const [key, { data, shape }] of arrays) expect(again.get(key)).toMatchObject({ shape, data });
  });

  it('without config.json are understood by their shapes, under either naming', async () => {
    const config = parseBiomedClipConfig({
      projection_dim: 24,
      vision_config: {
        hidden_size: 128,
        intermediate_size: 40,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        image_size: 24,
        patch_size: 8,
        layer_norm_eps: 1e-6,
      },
      text_config: {
        hidden_size: 64,
        intermediate_size: 32,
        num_hidden_layers: 3,
        num_attention_heads: 1,
        vocab_size: 30,
        max_position_embeddings: 11,
      },
      text_projection_config: { intermediate_size: 20 },
    });
    const model = await loadBiomedClipModel('', config, { random: Rng.seeded(1) });
    const file = join(dir, 'open_clip_pytorch_model.safetensors');
    await saveCheckpoint(model, file);
    expect(await readModelConfig(file, biomedClipConfigs)).toEqual(config);
    expect(patchesAcross(config.vision)).toBe(3);
    const theirs = join(dir, 'bare');
    await mkdir(theirs);
    const { arrays } = await readSafetensors(file);
    await writeSafetensors(join(theirs, 'model.safetensors'), underTheirKeys(arrays, biomedClipHuggingFaceKeys));
    const converted = { ...config, vision: { ...config.vision, layerNormEps: 1e-12 } };
    expect(await readModelConfig(theirs, biomedClipConfigs)).toEqual(converted);
  });

  it('of another model are refused by name', async () => {
    const what = /expected model_type clip, got "?sam/;
    await expectError(loadBiomedClip(fixturePath('sam-windows')), { code: 'E_MODEL_TYPE', where: 'config.json', what });
    await expectError(loadMasker(FOLDER), { code: 'E_MODEL_TYPE', what: 'clip' });
  });

  it('without a tokenizer are refused, naming where it is found', async () => {
    await expectError(loadBiomedClip(FOLDER), {
      code: 'E_TOKENIZER_MISSING',
      what: 'neither tokenizer.json nor vocab.txt beside the weights, and no biomedclip in the cache',
      fix: 'microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224',
    });
  });
});

describe('a config.json that is refused', () => {
  const own = { vision_config: {}, text_config: {}, text_projection_config: {} };
  it.each([
    ['another CLIP, without a projection of two layers', { ...own, text_projection_config: undefined }, /text_projection_config/],
    ['a text encoder that is no BERT', { ...own, text_config: { model_type: 'clip_text_model' } }, /bert/],
    [
      'heads that do not divide the width',
      { ...own, vision_config: { num_attention_heads: 5 } },
      /expected a divisor of hidden_size, 768, got 5/,
    ],
    [
      'an image that patches do not tile',
      { ...own, vision_config: { image_size: 225 } },
      /expected a multiple of patch_size, 16, got 225/,
    ],
  ])('%s', (_name, config, message) => {
    expect(() => parseBiomedClipConfig(config)).toThrow(message);
  });

  it('images of another size', async () => {
    const { model, inputs } = await open();
    const pixelValues = tf.zeros<tf.Rank.R4>([1, 32, 40, 3]);
    expectError(() => model.forward({ ...inputs, pixelValues }, inference), { code: 'E_SHAPE', what: '40, 40, 3' });
  });
});
