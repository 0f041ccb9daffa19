import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { EfficientNet, efficientNetUnusedKeys, parseEfficientNetConfig } from '../../src/models/efficientnet/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { matchesPattern, Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const TIMM = { model_type: 'timm_backbone', backbone: 'tf_efficientnet_lite0', freeze_batch_norm_2d: true };

async function load() {
  const golden = await GoldenCase.read('efficientnet');
  const backbone = new EfficientNet(parseEfficientNetConfig(fixtureJson('efficientnet', 'config.json')));
  const unused = (await GoldenCase.read('efficientnet', 'model.safetensors')).load(backbone);
  return { golden, backbone, unused };
}

/** A backbone with random weights, and images for it. */
function small() {
  const backbone = new EfficientNet(parseEfficientNetConfig({ ...TIMM, out_indices: [0, 1] }));
  backbone.initialise(Rng.seeded(1));
  return { backbone, images: tf.randomNormal([2, 21, 14, 3], 0, 1, 'float32', 1) as tf.Tensor4D };
}

describe('EfficientNet', () => {
  it('agrees with the reference, whose batch norms are frozen', async () => {
    const { golden, backbone, unused } = await load();
    const maps = backbone.forward(golden.image('in.pixel_values'), inference);
    expect(maps.map((map) => map.shape[3])).toEqual(backbone.channels);
    expect(maps).toHaveLength(2);
    for (const [i, map] of maps.entries()) await expectClose(map, golden.image(`out.${i}`), TOLERANCE.encoder);
    expect(unused).toEqual([]);
  });

  it('has the gradients of the reference, and none for norms', async () => {
    const { golden, backbone } = await load();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const maps = backbone.forward(golden.image('in.pixel_values'), tape);
    const { gradients } = tape.backward(maps.map((map, i) => [map, golden.image(`in.grad.${i}`)] as const));
    const trained = [...backbone.namedParameters()].filter(([, { trainable }]) => trainable);
    expect(trained.map(([path]) => path).sort()).toEqual(golden.names('grad.').sort());
    expect(gradients.size).toBe(trained.length);
    for (const [path, parameter] of trained) {
      const gradient = gradients.get(parameter) as tf.Tensor;
      await expectClose(gradient, golden.inLayout(`grad.${path}`, parameter.layout), TOLERANCE.encoderGradient);
    }
  });

  it('keeps norms frozen when all is unfrozen', () => {
    const { backbone } = small();
    backbone.setTrainable(true);
    const norms = [...backbone.namedParameters()].filter(([path]) => /\.bn\d\./.test(path));
    expect(norms).toHaveLength(4 * 9);
    expect(norms.filter(([, { trainable }]) => trainable)).toEqual([]);
  });

  it('leaves nothing behind but its maps, also after a training step', async () => {
    const { backbone, images } = small();
    expect(await leakOf(() => tf.dispose(backbone.forward(images, inference)))).toBe(0);
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(3));
      const maps = backbone.forward(images, tape);
      const { gradients } = tape.backward(maps.map((map) => [map, map] as const));
      tf.dispose([...gradients.values()]);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });

  it('gives an image the same maps in every batch', async () => {
    const { backbone, images } = small();
    const [together] = backbone.forward(images, inference);
    const [alone] = backbone.forward(images.slice([1], [1]), inference);
    expect(await (alone as tf.Tensor4D).data()).toEqual(await (together as tf.Tensor4D).slice([1], [1]).data());
  });

  it('names the channels it expects', () => {
    expectError(() => small().backbone.forward(tf.zeros([1, 8, 8, 1]), inference), {
      code: 'E_SHAPE',
      where: 'EfficientNet pixelValues',
      what: 'expected shape [any, any, any, 3], got [1, 8, 8, 1]',
    });
  });

  it('allows what timm keeps besides', () => {
    for (const key of ['_backbone.blocks.6.0.conv_pw.weight', '_backbone.bn1.num_batches_tracked'])
      expect(efficientNetUnusedKeys.some((pattern) => matchesPattern(key, pattern))).toBe(true);
  });
});

describe('parseEfficientNetConfig', () => {
  // By hand from timm's create_model(name, features_only=True).feature_info.
  it.each([
    ['tf_efficientnet_lite0', [16, 24, 40, 112, 320], [1, 2, 2, 3, 3, 4, 1]],
    ['tf_efficientnet_lite2', [16, 24, 48, 120, 352], [1, 3, 3, 4, 4, 5, 1]],
    ['tf_efficientnet_lite4', [24, 32, 56, 160, 448], [1, 4, 4, 6, 6, 8, 1]],
  ])('scales widths and repeats as timm does: %s', (backbone, channels, repeats) => {
    const config = parseEfficientNetConfig({ ...TIMM, backbone, out_indices: [0, 1, 2, 3, 4] });
    expect(config.outputs.map((output) => config.stages[output]?.channels)).toEqual(channels);
    expect(config.stages.map((stage) => stage.repeats)).toEqual(repeats);
  });

  it('gives the last stage where no output is named, and only the stages that are needed', () => {
    expect(parseEfficientNetConfig(TIMM).outputs).toEqual([6]);
    expect(parseEfficientNetConfig({ ...TIMM, out_indices: [2, 3] }).stages).toHaveLength(5);
  });

  it.each([
    [{ backbone: 'resnet50' }, /backbone: expected one of tf_efficientnet_lite0, .*got "resnet50"/],
    [{ out_indices: [3, 2] }, /out_indices: expected ascending numbers from 0 to 4, got \[3, 2\]/],
    [{ out_indices: [5] }, /out_indices/],
    [{ out_indices: [] }, /out_indices/],
    [{ output_stride: 8 }, /output_stride/],
    [{ features_only: false }, /features_only/],
    [{ freeze_batch_norm_2d: false }, /freeze_batch_norm_2d/],
  ])('names what it cannot build: %j', (more, what) => {
    expectError(() => parseEfficientNetConfig({ ...TIMM, ...more }), {
      code: 'E_MODEL_CONFIG',
      where: 'EfficientNet config',
      what,
    });
  });
});
