import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { parseSamConfig, Sam, type SamMaskOutputs } from '../../src/models/sam/index.js';
import type { Prompts } from '../../src/models/sam-common/index.js';
import { CheckpointedTape, inference, type Module } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { loadCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

async function open(name: string): Promise<{ golden: GoldenCase; model: Sam }> {
  const model = new Sam(parseSamConfig(fixtureJson(name, 'config.json')));
  await loadCheckpoint(model, fixturePath(name));
  return { golden: await GoldenCase.read(name), model };
}

type Asked = Prompts & { readonly masks?: tf.Tensor4D };

const WAYS = ['boxes', 'points', 'both', 'none', 'masks', 'mask_alone'] as const;

function promptsOf(golden: GoldenCase, way: (typeof WAYS)[number]): Asked {
  const boxes = golden.tensor<tf.Tensor3D>('in.input_boxes');
  const points = { points: golden.tensor<tf.Tensor4D>('in.input_points'), labels: golden.tensor<tf.Tensor3D>('in.input_labels') };
  const masks = golden.image('in.input_masks');
  return { boxes: { boxes }, points, both: { boxes, ...points }, none: {}, masks: { boxes, masks }, mask_alone: { masks } }[way];
}

function run(model: Sam, golden: GoldenCase, way: (typeof WAYS)[number], multimask: boolean): SamMaskOutputs {
  const features = model.encodeImage(golden.image('in.pixel_values'), inference);
  return model.decodeMasks({ features, ...promptsOf(golden, way), multimask }, inference);
}

/** A part of the model by its path. */
function part<T>(model: Sam, path: string): T & Module {
  return [...model.namedModules()].find(([name]) => name === path)?.[1] as T & Module;
}

describe.each(['sam-windows', 'sam-plain'])('%s', (name) => {
  it.each(WAYS)('masks from %s equal the reference', async (way) => {
    const { golden, model } = await open(name);
    for (const multimask of [false, true]) {
      const outputs = run(model, golden, way, multimask);
      const key = `out.${way}.${multimask ? 'multi' : 'single'}`;
      await expectClose(outputs.predMasks, golden.tensor(`${key}.pred_masks`), TOLERANCE.masker);
      await expectClose(outputs.iouScores, golden.tensor(`${key}.iou_scores`), TOLERANCE.masker);
    }
  });

  it('image features and what prompts become equal the reference', async () => {
    const { golden, model } = await open(name);
    const features = model.encodeImage(golden.image('in.pixel_values'), inference);
    await expectClose(features.embeddings, golden.image('mid.embeddings'), TOLERANCE.encoder);
    type Encoder = { tokens(prompts: Prompts): tf.Tensor4D; dense(masks: tf.Tensor4D | undefined): tf.Tensor4D };
    const encoder = part<Encoder>(model, 'prompt_encoder');
    for (const way of ['boxes', 'points', 'both'] as const)
      await expectClose(encoder.tokens(promptsOf(golden, way)), golden.tensor(`mid.${way}.sparse`), TOLERANCE.encoder);
    await expectClose(encoder.dense(golden.image('in.input_masks')), golden.image('mid.masks.dense'), TOLERANCE.encoder);
    const none = encoder.dense(undefined);
    await expectClose(tf.tile(none, [1, 1, golden.image('mid.none.dense').shape[2], 1]), golden.image('mid.none.dense'), 1e-6);
  });

  it('gradients of all parameters equal the reference', async () => {
    const { golden, model } = await open(name);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const features = model.encodeImage(golden.image('in.pixel_values'), tape);
    const outputs = model.decodeMasks({ features, ...promptsOf(golden, 'boxes'), multimask: false }, tape);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.d_masks')],
      [outputs.iouScores, golden.tensor('in.d_iou')],
    ]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.maskerGradient)).toEqual([]);
    expect(golden.names('grad.').length).toBeGreaterThan(90);
  });

  it('gradients of prompt encoder and decoder, from all kinds of prompts and several masks, equal the reference', async () => {
    const { golden, model } = await open(name);
    // As in training: the encoder is frozen, and its features are constants.
    part(model, 'vision_encoder').setTrainable(false);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const features = model.encodeImage(golden.image('in.pixel_values'), tape);
    expect(tape.length).toBe(0);
    const prompts = { ...promptsOf(golden, 'both'), masks: golden.image('in.input_masks') };
    const outputs = model.decodeMasks({ features, ...prompts, multimask: true }, tape);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.prompts.d_masks')],
      [outputs.iouScores, golden.tensor('in.prompts.d_iou')],
    ]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.maskerGradient, 'prompts.grad.')).toEqual([]);
    const expected = golden.names('prompts.grad.').filter((key) => !key.includes('positional_embedding'));
    const parameters = [...model.namedParameters()].filter(([path]) => expected.includes(path));
    expect(parameters.length).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(60);
  });

  it('leaves no tensor behind in 50 calls on one image, nor in training', async () => {
    const { golden, model } = await open(name);
    const pixels = golden.image('in.pixel_values');
    const ways = WAYS.map((way) => promptsOf(golden, way));
    const features = model.encodeImage(pixels, inference);
    const counts: number[] = [];
    for (let i = 0; i < 50; i++) {
      const multimask = i % 2 === 0;
      tf.dispose({ ...model.decodeMasks({ features, ...ways[i % ways.length], multimask }, inference) });
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
    const { boxes } = promptsOf(golden, 'boxes');
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const taped = model.encodeImage(pixels, tape);
      const outputs = model.decodeMasks({ features: taped, boxes, multimask: true }, tape);
      const ones = tf.onesLike(outputs.predMasks);
      const { gradients } = tape.backward([[outputs.predMasks, ones]]);
      tf.dispose([ones, ...gradients.values()]);
      tape.dispose();
      tf.dispose({ ...outputs });
    });
    expect(leak).toBe(0);
  });
});

describe('prompts that do not fit', () => {
  it('are refused', async () => {
    const { golden, model } = await open('sam-windows');
    const features = model.encodeImage(golden.image('in.pixel_values'), inference);
    const { boxes } = promptsOf(golden, 'boxes');
    const { points, labels } = promptsOf(golden, 'points');
    const decode = (prompts: Asked) => () => model.decodeMasks({ features, ...prompts, multimask: false }, inference);
    expectError(decode({ boxes: boxes?.slice([0, 0, 0], [2, 2, 4]) as tf.Tensor3D, points, labels } as Asked), {
      code: 'E_PROMPT_INVALID',
      where: 'Sam.decodeMasks',
      what: 'expected as many boxes as sets of points, got 2 and 3',
    });
    expectError(decode({ boxes: boxes?.slice([0, 0, 0], [1, 3, 4]) as tf.Tensor3D }), {
      code: 'E_SHAPE',
      where: 'Sam.decodeMasks boxes',
      what: 'expected shape [2, any, 4], got [1, 3, 4]',
    });
    expectError(decode({ points, labels: labels?.slice([0, 0, 0], [2, 3, 1]) as tf.Tensor3D } as Asked), {
      code: 'E_SHAPE',
      where: 'Sam.decodeMasks labels',
      what: 'expected shape [2, 3, 2], got [2, 3, 1]',
    });
    expectError(decode({ points } as Asked), {
      code: 'E_PROMPT_INVALID',
      where: 'Sam.decodeMasks',
      what: 'points and labels come together',
    });
    expectError(decode({ boxes, masks: tf.zeros([2, 16, 16, 1]) } as Asked), {
      code: 'E_SHAPE',
      where: 'Sam masks',
      what: 'expected shape [2, 20, 20, 1], got [2, 16, 16, 1]',
    });
  });
});
