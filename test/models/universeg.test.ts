import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { parseUniverSegConfig, type UniverSeg } from '../../src/models/universeg/index.js';
import { CheckpointedTape, type ForwardContext, inference } from '../../src/nn/index.js';
import { loadMasker, loadUniverSeg } from '../../src/pretrained/index.js';
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

const PUBLISHED = fixturePath('universeg', 'published.pt');

type Inputs = [target: tf.Tensor4D, images: tf.Tensor5D, masks: tf.Tensor5D];

async function open(): Promise<{ golden: GoldenCase; model: UniverSeg; inputs: Inputs }> {
  const { model } = await loadUniverSeg(PUBLISHED);
  const golden = await GoldenCase.read('universeg');
  const inputs = ['in.target', 'in.support_images', 'in.support_masks'].map((name) => golden.tensor(name)) as Inputs;
  return { golden, model, inputs };
}

/** The inputs of the first image of the batch, with its first supports alone. */
function alone([target, images, masks]: Inputs, supports: number): Inputs {
  const [, , , h, w] = images.shape;
  const few = (x: tf.Tensor5D) => tf.slice(x, [0, 0, 0, 0, 0], [1, supports, 1, h, w]);
  return [tf.slice(target, [0, 0, 0, 0], [1, 1, h, w]), few(images), few(masks)];
}

describe('UniverSeg', () => {
  it('logits of several supports, and of a single one, equal the reference', async () => {
    const { golden, model, inputs } = await open();
    await expectClose(model.forward(...inputs, inference), golden.tensor('out.logits'), TOLERANCE.encoder);
    await expectClose(model.forward(...alone(inputs, 1), inference), golden.tensor('out.single'), TOLERANCE.encoder);
  });

  it('the target map after each block equals the reference', async () => {
    const { golden, model, inputs } = await open();
    const targets: tf.Tensor[] = [];
    const watching: ForwardContext = {
      ...inference,
      block(owners, given, fn) {
        const outputs = inference.block(owners, given, fn);
        if (outputs['target'] !== undefined) targets.push(tf.keep(outputs['target']));
        return outputs;
      },
    };
    model.forward(...inputs, watching);
    const names = ['enc_blocks.0', 'enc_blocks.1', 'enc_blocks.2', 'dec_blocks.0'];
    expect(targets.length).toBe(names.length);
    for (const [i, name] of names.entries())
      await expectClose(targets[i] as tf.Tensor, golden.image(`mid.${name}.target`), TOLERANCE.encoder);
    tf.dispose(targets);
  });

  it('gradients of all parameters equal the reference, which has none for the maps that nothing reads', async () => {
    const { golden, model, inputs } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const logits = model.forward(...inputs, tape);
    const { gradients } = tape.backward([[logits, golden.tensor('in.d')]]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.encoderGradient)).toEqual([]);
    const without = [...model.namedParameters()].map(([path]) => path).filter((path) => !golden.has(`grad.${path}`));
    expect(without).toEqual(['dec_blocks.1.support.vmapped.conv.weight', 'dec_blocks.1.support.vmapped.conv.bias']);
  });

  it('encoded supports serve several targets, each with the logits of a pass of its own', async () => {
    const { model, inputs } = await open();
    const [target, images, masks] = alone(inputs, 3);
    const support = model.encodeSupport(images, masks, inference);
    for (const image of [target, tf.sub(1, target) as tf.Tensor4D])
      await expectClose(model.decode(image, support, inference), model.forward(image, images, masks, inference), 1e-6);
  });

  it('the order of the supports does not matter, each of them does', async () => {
    const { model, inputs } = await open();
    const [target, images, masks] = alone(inputs, 3);
    const logits = model.forward(target, images, masks, inference);
    await expectClose(model.forward(target, tf.reverse(images, 1), tf.reverse(masks, 1), inference), logits, 1e-5);
    const others = tf.concat([tf.slice(masks, [0, 0, 0, 0, 0], [1, 2, 1, 16, 24]), tf.zeros<tf.Rank.R5>([1, 1, 1, 16, 24])], 1);
    const changed = model.forward(target, images, others, inference);
    expect(tf.max(tf.abs(tf.sub(changed, logits))).arraySync()).toBeGreaterThan(1e-3);
  });

  it('leaves one tensor, its result, and none after a training pass', async () => {
    const { model, inputs } = await open();
    expect(await leakOf(() => model.forward(...inputs, inference))).toBe(1);
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const logits = model.forward(...inputs, tape);
      const ones = tf.onesLike(logits);
      const { gradients } = tape.backward([[logits, ones]]);
      tf.dispose([ones, ...gradients.values()]);
      tape.dispose();
    });
    expect(leak).toBe(0);
    expect(inputs.some(({ isDisposed }) => isDisposed)).toBe(false);
  });
});

describe('weights', () => {
  const dir = temporaryFolder('universeg');

  it('a folder with config.json holds the same model as the published file', async () => {
    const { golden, model, inputs } = await open();
    await saveCheckpoint(model, join(dir, 'model.safetensors'));
    const config = {
      model_type: 'universeg',
      encoder_blocks: [
        [4, 6],
        [5, 7],
        [8, 9],
      ],
      decoder_blocks: [
        [6, 5],
        [7, 4],
      ],
      image_size: 32,
    };
    await writeFile(join(dir, 'config.json'), JSON.stringify(config));
    const { model: again, config: read } = await loadUniverSeg(dir);
    expect(read).toEqual({ ...model.config, imageSize: 32 });
    await expectClose(again.forward(...inputs, inference), golden.tensor('out.logits'), TOLERANCE.encoder);
  });

  it('are drawn for a model of their size that is trained from scratch', async () => {
    const { model } = await loadUniverSeg(dir, { random: Rng.seeded(3) });
    const values = Object.fromEntries([...model.namedParameters()].map(([path, { value }]) => [path, value]));
    const expectStd = (path: string, expected: number) => {
      const ratio =
        (tf
          .moments(values[path] as tf.Tensor)
          .variance.sqrt()
          .arraySync() as number) / expected;
      expect(ratio).toBeGreaterThan(0.85);
      expect(ratio).toBeLessThan(1.15);
    };
    // Kaiming's: sqrt(2 / inputs) before the activation, sqrt(1 / inputs) without one.
    expectStd('dec_blocks.0.target.vmapped.conv.weight', Math.sqrt(2 / (9 * 6)));
    expectStd('enc_blocks.2.cross.cross_conv.weight', Math.sqrt(1 / (9 * 14)));
    expect((await values['out_conv.conv.bias']?.data())?.every((value) => value === 0)).toBe(true);
  });

  it('of another model are refused by name', async () => {
    const sam = fixturePath('sam-windows');
    const what = /expected model_type universeg, got "?sam/;
    await expectError(loadUniverSeg(sam), { code: 'E_MODEL_TYPE', where: 'config.json', what });
    await expectError(loadMasker(PUBLISHED), { code: 'E_MODEL_TYPE', where: 'published.pt', what: 'universeg' });
  });

  it('with a config.json of other widths are refused, naming the tensors', async () => {
    const other = join(dir, 'other');
    await mkdir(other);
    await copyFile(PUBLISHED, join(other, 'published.pt'));
    await writeFile(join(other, 'config.json'), '{"model_type": "universeg", "encoder_blocks": [4, 4, 4]}');
    await expectError(loadUniverSeg(other), { code: 'E_WEIGHTS_MISMATCH', what: 'enc_blocks.0.target.vmapped.conv.weight' });
  });
});

describe('what does not fit is refused', () => {
  it.each([
    ['one level alone', { encoder_blocks: [4] }, /encoder_blocks/],
    [
      'as many decoder blocks as encoder blocks',
      { encoder_blocks: [4, 4], decoder_blocks: [4, 4] },
      /expected 1, one fewer than encoder_blocks, got 2/,
    ],
    ['an image size that the levels cannot halve', { encoder_blocks: [4, 4, 4], image_size: 130 }, /expected a multiple of 4/],
  ])('%s', (_name, config, message) => {
    expect(() => parseUniverSegConfig(config)).toThrow(message);
  });

  it('shapes', async () => {
    const { model, inputs } = await open();
    const [target, images, masks] = inputs;
    const run =
      (...given: Inputs) =>
      () =>
        model.forward(...given, inference);
    const where = 'UniverSeg supportMasks';
    expectError(run(target, images, tf.slice(masks, [0, 0, 0, 0, 0], [2, 2, 1, 16, 24])), { code: 'E_SHAPE', where });
    expectError(run(tf.slice(target, [0, 0, 0, 0], [1, 1, 16, 24]), images, masks), { code: 'E_SHAPE', what: '[1, any' });
    expectError(run(tf.zeros([1, 1, 18, 24]), tf.zeros([1, 1, 1, 18, 24]), tf.zeros([1, 1, 1, 18, 24])), {
      code: 'E_SHAPE',
      what: 'expected sides that 4 divides, got 18x24',
    });
    expectError(run(tf.zeros([1, 1, 16, 24]), tf.zeros([1, 0, 1, 16, 24]), tf.zeros([1, 0, 1, 16, 24])), {
      code: 'E_SHAPE',
      what: 'there is no support',
    });
  });
});
