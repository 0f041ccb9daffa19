import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { Prompts } from '../../src/models/sam-common/index.js';
import { type MaskOutputs, parseSam2Config, Sam2, sam2MemoryKeys } from '../../src/models/sam2/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { matchesPattern, Rng } from '../../src/util/index.js';
import { loadCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

async function open(name: string): Promise<{ golden: GoldenCase; model: Sam2 }> {
  const model = new Sam2(parseSam2Config(fixtureJson(name, 'config.json')));
  await loadCheckpoint(model, fixturePath(name));
  return { golden: await GoldenCase.read(name), model };
}

function promptsOf(golden: GoldenCase, way: string): Prompts {
  const boxes = golden.tensor<tf.Tensor3D>('in.input_boxes');
  const points = { points: golden.tensor<tf.Tensor4D>('in.input_points'), labels: golden.tensor<tf.Tensor3D>('in.input_labels') };
  return { boxes: { boxes }, points, both: { boxes, ...points }, none: {} }[way] as Prompts;
}

function run(model: Sam2, golden: GoldenCase, way: string, multimask: boolean): MaskOutputs {
  const features = model.encodeImage(golden.image('in.pixel_values'), inference);
  return model.decodeMasks({ features, ...promptsOf(golden, way), multimask }, inference);
}

describe.each(['sam2-stable', 'sam2-odd'])('%s', (name) => {
  it.each(['boxes', 'points', 'both', 'none'])('masks from %s equal the reference', async (way) => {
    const { golden, model } = await open(name);
    for (const multimask of [false, true]) {
      const outputs = run(model, golden, way, multimask);
      const key = `out.${way}.${multimask ? 'multi' : 'single'}`;
      await expectClose(outputs.predMasks, golden.tensor(`${key}.pred_masks`), TOLERANCE.masker);
      await expectClose(outputs.iouScores, golden.tensor(`${key}.iou_scores`), TOLERANCE.masker);
      await expectClose(outputs.objectScoreLogits, golden.tensor(`${key}.object_score_logits`), TOLERANCE.masker);
    }
  });

  it('takes an earlier mask', async () => {
    const { golden, model } = await open(name);
    const features = model.encodeImage(golden.image('in.pixel_values'), inference);
    const outputs = model.decodeMasks(
      { features, ...promptsOf(golden, 'boxes'), masks: golden.image('in.input_masks'), multimask: true },
      inference,
    );
    await expectClose(outputs.predMasks, golden.tensor('out.masks.multi.pred_masks'), TOLERANCE.masker);
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
    expect(golden.names('grad.').length).toBeGreaterThan(100);
  });

  it('gradients from points, an earlier mask and the object score equal the reference', async () => {
    const { golden, model } = await open(name);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const features = model.encodeImage(golden.image('in.pixel_values'), tape);
    const prompts = { ...promptsOf(golden, 'both'), masks: golden.image('in.input_masks') };
    const outputs = model.decodeMasks({ features, ...prompts, multimask: true }, tape);
    const { gradients } = tape.backward([
      [outputs.predMasks, golden.tensor('in.prompts.d_masks')],
      [outputs.objectScoreLogits, golden.tensor('in.prompts.d_object')],
    ]);
    const parameters = [...model.namedParameters()].filter(([path]) => golden.has(`prompts.grad.${path}`));
    expect(parameters.length).toBe(golden.names('prompts.grad.').length);
    for (const [path, parameter] of parameters) {
      const expected = golden.inLayout(`prompts.grad.${path}`, parameter.layout);
      await expectClose(gradients.get(parameter) ?? tf.zerosLike(expected), expected, TOLERANCE.maskerGradient);
    }
  });

  it('keeps as many tensors as before in 50 calls on one image', async () => {
    const { golden, model } = await open(name);
    const features = model.encodeImage(golden.image('in.pixel_values'), inference);
    const ways = ['boxes', 'points', 'both', 'none'].map((way) => promptsOf(golden, way));
    const counts: number[] = [];
    for (let i = 0; i < 50; i++) {
      const prompts = ways[i % ways.length];
      tf.dispose({ ...model.decodeMasks({ features, ...prompts, multimask: i % 3 === 0 }, inference) });
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
  });

  it('leaves no tensor behind, in inference and in training', async () => {
    const { golden, model } = await open(name);
    const pixels = golden.image('in.pixel_values');
    const boxes = golden.tensor<tf.Tensor3D>('in.input_boxes');
    const leak = await leakOf(() => {
      for (let i = 0; i < 3; i++) {
        const features = model.encodeImage(pixels, inference);
        tf.dispose([{ ...features }, { ...model.decodeMasks({ features, boxes, multimask: false }, inference) }]);
      }
      const tape = new CheckpointedTape(Rng.seeded(1));
      const features = model.encodeImage(pixels, tape);
      const outputs = model.decodeMasks({ features, boxes, multimask: true }, tape);
      const { gradients } = tape.backward([[outputs.predMasks, tf.tidy(() => tf.onesLike(outputs.predMasks))]]);
      tf.dispose([...gradients.values()]);
      tape.dispose();
      tf.dispose({ ...outputs });
    });
    expect(leak).toBe(1); // the ones
  });
});

describe('a published folder of a video model', () => {
  const keys = Object.keys(fixtureJson('sam2-video-keys', 'keys.json') as Record<string, number[]>);

  it('has the keys of the image part, and those of the memory', () => {
    const model = new Sam2(parseSam2Config(fixtureJson('sam2-video-keys', 'config.json')));
    const own = new Set([...model.namedParameters()].map(([path]) => path));
    const rest = keys.filter((key) => !own.has(key));
    expect([...own].filter((key) => !keys.includes(key))).toEqual([]);
    expect(rest.length).toBeGreaterThan(50);
    expect(rest.filter((key) => !sam2MemoryKeys.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
    expect([...own].filter((key) => sam2MemoryKeys.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
  });

  it('makes no pattern of unused keys needless', () => {
    expect(sam2MemoryKeys.filter((pattern) => !keys.some((key) => matchesPattern(key, pattern)))).toEqual([]);
  });
});
