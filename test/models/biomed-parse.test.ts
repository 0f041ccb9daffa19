import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type BiomedParse, parseBiomedParseConfig } from '../../src/models/biomed-parse/index.js';
import { CheckpointedTape, type ForwardContext, inference } from '../../src/nn/index.js';
import {
  biomedParseConfigs,
  derivedConfig,
  loadBiomedParseModel,
  loadSamus,
  readModelConfig,
} from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { saveCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const FOLDER = fixturePath('biomed-parse');
const PUBLISHED = fixturePath('biomed-parse', 'published.pt');

async function open(): Promise<{ golden: GoldenCase; model: BiomedParse }> {
  const config = await readModelConfig(FOLDER, biomedParseConfigs);
  return { golden: await GoldenCase.read('biomed-parse'), model: await loadBiomedParseModel(PUBLISHED, config) };
}

function run(model: BiomedParse, golden: GoldenCase, context: ForwardContext, phrases: readonly number[] = [1]) {
  const texts = phrases.map((i) => golden.tensor<tf.Tensor2D>(`in.ids.${i}`));
  return model.forward({ pixelValues: golden.image('in.pixel_values'), texts }, context);
}

describe('BiomedParse', () => {
  it('masks, classes and likeness of all queries equal the reference', async () => {
    const { golden, model } = await open();
    const outputs = run(model, golden, inference);
    await expectClose(outputs.predMasks, golden.tensor('out.masks'), TOLERANCE.masker);
    await expectClose(outputs.classEmbeds, golden.tensor('out.classes'), TOLERANCE.masker);
    await expectClose(outputs.similarity, golden.tensor('out.similarity'), TOLERANCE.masker);
    const text = model.encodeText(golden.tensor('in.ids.1'), inference);
    await expectClose(text.sentence, golden.tensor('out.sentence'), TOLERANCE.encoder);
  });

  it('several texts in one prompt see each other, as in the reference', async () => {
    const { golden, model } = await open();
    const together = run(model, golden, inference, [0, 1, 2]);
    await expectClose(together.predMasks, golden.tensor('out.all.masks'), TOLERANCE.masker);
    await expectClose(together.similarity, golden.tensor('out.all.similarity'), TOLERANCE.masker);
    const [alone, other] = await Promise.all([run(model, golden, inference).predMasks.data(), together.predMasks.data()]);
    expect(Math.max(...alone.map((value, i) => Math.abs(value - (other[i] as number))))).toBeGreaterThan(1e-3);
  });

  it('each block equals the reference: backbone, pyramid, text, decoder', async () => {
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
    run(model, golden, watching);
    const named = (name: string) => blocks.flatMap((block) => (block[name] === undefined ? [] : [block[name]]));
    const [maps, ys, queries, words] = ['map', 'y', 'queries', 'words'].map(named) as [
      tf.Tensor[],
      tf.Tensor[],
      tf.Tensor[],
      tf.Tensor[],
    ];
    const rows = (x: tf.Tensor) => tf.reshape(x, [1, -1, x.shape.at(-1) as number]);
    for (const i of [0, 1, 2, 3])
      await expectClose(rows(maps[i] as tf.Tensor), golden.tensor(`mid.backbone.norm${i}`), TOLERANCE.encoder);
    // Embeddings and blocks of the backbone; layers on the coarsest map; the pyramid, coarsest first; and the text's blocks.
    expect([maps.length, ys.length]).toEqual([5, 4 + 5 + 2 + 4 + 2]);
    await expectClose(ys[10] as tf.Tensor, golden.tensor('mid.encoder.1'), TOLERANCE.masker);
    for (const i of [4, 3, 2, 1]) await expectClose(ys[15 - i] as tf.Tensor, golden.tensor(`mid.fpn.${i}`), TOLERANCE.masker);
    await expectClose(named('maskFeatures')[0] as tf.Tensor, golden.tensor('mid.mask_features'), TOLERANCE.masker);
    await expectClose(ys[16] as tf.Tensor, golden.tensor('mid.text.1'), TOLERANCE.encoder);
    // The learned queries, then after each layer's cross-attention and after its self-attention and MLP.
    expect([queries.length, words.length]).toEqual([9, 4]);
    for (const i of [0, 1, 2, 3]) {
      await expectClose(queries[1 + 2 * i] as tf.Tensor, golden.tensor(`mid.decoder.${i}.cross`), TOLERANCE.masker);
      const both = tf.concat([queries[2 + 2 * i] as tf.Tensor, words[i] as tf.Tensor], 1);
      await expectClose(both, golden.tensor(`mid.decoder.${i}`), TOLERANCE.masker);
    }
    tf.dispose(blocks as unknown as tf.TensorContainer);
  });

  it('gradients of all parameters equal the reference, in length and along the weights', async () => {
    const { golden, model } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    // Blocks are skipped at random in training; the reference's are not.
    const steady: ForwardContext = {
      training: false,
      block: (owners, given, fn) => tape.block(owners, given, (inputs, mode) => fn(inputs, { ...mode, training: false })),
      detach: (x) => tape.detach(x),
    };
    const outputs = run(model, golden, steady);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.d_masks')],
      [outputs.similarity, golden.tensor('in.d_similarity')],
    ]);
    const wrong: string[] = [];
    for (const [path, parameter] of model.namedParameters()) {
      const gradient = gradients.get(parameter);
      const [along, length] = await golden.tensor(`grad.${path}`).data();
      const own = gradient === undefined ? [0, 0] : [tf.sum(tf.mul(gradient, parameter.value as tf.Tensor)), tf.norm(gradient)];
      const [ownAlong, ownLength] = (await Promise.all(own.map((x) => (typeof x === 'number' ? [x] : x.data())))).map(([x]) => x);
      // Softmax does not depend on the bias of keys: its gradient is rounding of the others'.
      const least = path.endsWith('key.bias') ? 1e-2 : 1e-3;
      const allowed = TOLERANCE.maskerGradient * Math.max(length as number, least);
      const size = (await tf.norm(parameter.value as tf.Tensor).data())[0] as number;
      if (Math.abs((ownLength as number) - (length as number)) > allowed) wrong.push(`${path}: ${ownLength} for ${length}`);
      if (Math.abs((ownAlong as number) - (along as number)) > allowed * Math.max(size, 1))
        wrong.push(`${path} along: ${ownAlong} for ${along}`);
    }
    expect(wrong).toEqual([]);
    expect([...model.namedParameters()].length).toBe(golden.names('grad.').length);
  });

  it('every parameter receives a gradient in training', async () => {
    const { golden, model } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const outputs = run(model, golden, tape);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.d_masks')],
      [outputs.similarity, golden.tensor('in.d_similarity')],
    ]);
    const without = [...model.namedParameters()].filter(([, parameter]) => !gradients.has(parameter)).map(([path]) => path);
    expect(without).toEqual([]);
  });

  it('leaves its results alone behind, and nothing after a training pass', async () => {
    const { golden, model } = await open();
    const pixels = golden.image('in.pixel_values');
    const ids = golden.tensor<tf.Tensor2D>('in.ids.1');
    expect(await leakOf(() => model.encodeImage(pixels, inference))).toBe(7);
    expect(await leakOf(() => model.encodeText(ids, inference))).toBe(2);
    const image = model.encodeImage(pixels, inference);
    const text = model.encodeText(ids, inference);
    expect(await leakOf(() => model.decode(image, [text], inference))).toBe(3);
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const outputs = model.forward({ pixelValues: pixels, texts: [ids] }, tape);
      const ones = tf.onesLike(outputs.predMasks);
      const { gradients } = tape.backward([[outputs.predMasks, ones]]);
      tf.dispose([ones, ...gradients.values()]);
      tape.dispose();
      tf.dispose({ ...outputs });
    });
    expect(leak).toBe(0);
  });

  it('refuses images whose sides the pyramid cannot halve', async () => {
    const { model } = await open();
    expectError(() => model.encodeImage(tf.zeros([1, 64, 80, 3]), inference), {
      code: 'E_SHAPE',
      what: 'multiples of 32, got 80x64',
    });
  });
});

describe('weights', () => {
  const dir = temporaryFolder('biomed-parse');

  it('of the published form alone have the configuration that their shapes show', async () => {
    await mkdir(join(dir, 'alone'));
    const file = join(dir, 'alone', 'biomedparse_v1.pt');
    await copyFile(PUBLISHED, file);
    const unseen = { num_attention_heads: 2, norm_groups: 3, image_size: 64 };
    const { text, ...derived } = parseBiomedParseConfig({ ...((await derivedConfig(file)) as object), ...unseen });
    const { text: ownText, ...own } = (await open()).model.config;
    expect(derived).toEqual(own);
    expect({ ...text, numAttentionHeads: 2 }).toEqual(ownText);
  });

  it('saved under this project’s keys are the same model', async () => {
    const { golden, model } = await open();
    await saveCheckpoint(model, join(dir, 'model.safetensors'));
    await copyFile(join(FOLDER, 'config.json'), join(dir, 'config.json'));
    const again = await loadBiomedParseModel(dir, await readModelConfig(dir, biomedParseConfigs));
    await expectClose(run(again, golden, inference).predMasks, golden.tensor('out.masks'), TOLERANCE.masker);
  });

  it('of another method are refused, and those of BiomedParse as another method’s', async () => {
    const samus = fixturePath('samus', 'published.pth');
    await expectError(readModelConfig(samus, biomedParseConfigs), {
      code: 'E_MODEL_TYPE',
      what: 'expected model_type biomedparse',
    });
    await expectError(loadSamus(PUBLISHED), { code: 'E_MODEL_TYPE', what: /expected model_type samus, got "?biomedparse/ });
  });

  it('with keys that nothing reads, or of other sizes, are refused by name', async () => {
    const { model } = await open();
    const other = join(dir, 'other');
    await mkdir(other);
    await copyFile(PUBLISHED, join(other, 'published.pt'));
    const sizes = { ...model.config, numQueries: 8, decoderLayers: 3 };
    await expectError(loadBiomedParseModel(other, sizes), {
      code: 'E_WEIGHTS_MISMATCH',
      what: /unexpected: sem_seg_head\.predictor\.transformer.*_layers\.3.*query_feat\.weight: expected shape \[8, 12\], got \[7, 12\]/s,
    });
  });
});

describe('a configuration', () => {
  it('is that of the published model where it says nothing', () => {
    expect(parseBiomedParseConfig({})).toEqual({
      imageSize: 1024,
      backbone: {
        embedDim: 192,
        depths: [2, 2, 18, 2],
        focalLevels: [4, 4, 4, 4],
        focalWindows: [3, 3, 3, 3],
        mlpRatio: 4,
        dropPathRate: 0.3,
      },
      text: { vocabSize: 49408, hiddenSize: 512, numHiddenLayers: 12, numAttentionHeads: 8, maxPositionEmbeddings: 77 },
      hiddenSize: 512,
      maskSize: 512,
      numAttentionHeads: 8,
      intermediateSize: 2048,
      encoderLayers: 6,
      decoderLayers: 9,
      numQueries: 101,
      normGroups: 32,
    });
  });

  it.each([
    [
      'heads that do not divide the width',
      { num_attention_heads: 7 },
      /num_attention_heads.*expected a divisor of hidden_size, 512/s,
    ],
    ['groups that do not divide it', { norm_groups: 48 }, /norm_groups.*got 48/s],
    ['an image that the pyramid cannot halve', { image_size: 1000 }, /image_size.*multiple of 32/s],
    ['a backbone of three stages', { backbone_config: { depths: [1, 1, 1] } }, /focal_levels.*expected 3 numbers/s],
    ['an even window', { backbone_config: { focal_windows: [3, 4, 3, 3] } }, /focal_windows.*odd sizes, got 4/s],
    ['a text encoder of odd heads', { text_config: { num_attention_heads: 5 } }, /num_attention_heads/],
    ['a width that is none', { hidden_size: 1e9 }, /hidden_size/],
  ])('%s is refused', (_name, json, message) => {
    expect(() => parseBiomedParseConfig(json)).toThrow(message);
  });
});
