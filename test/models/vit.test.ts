import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { parseVitConfig, Vit } from '../../src/models/vit/index.js';
import { CheckpointedTape, type ForwardContext, inference } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { loadCheckpoint } from '../../src/weights/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { wrongGradients } from '../support/model-gradients.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

async function open(name: string): Promise<{ golden: GoldenCase; model: Vit }> {
  const model = new Vit(parseVitConfig(fixtureJson(name, 'config.json')));
  await loadCheckpoint(model, fixturePath(name));
  return { golden: await GoldenCase.read(name), model };
}

describe.each(['vit-windows', 'vit-plain', 'vit-large-window'])('%s', (name) => {
  it('features and the map after each layer equal the reference', async () => {
    const { golden, model } = await open(name);
    await expectClose(model.forward(golden.image('in.pixel_values'), inference), golden.image('out.features'), TOLERANCE.encoder);
    // Patches, the layers, the neck: every block has one output.
    const blocks: tf.Tensor[] = [];
    const watching: ForwardContext = {
      ...inference,
      training: true,
      block(owners, inputs, fn) {
        const outputs = inference.block(owners, inputs, fn);
        blocks.push(...(Object.values(outputs) as tf.Tensor[]));
        return outputs;
      },
    };
    model.forward(golden.image('in.pixel_values'), watching);
    const layers = golden.names('mid.layer.');
    expect(layers.length).toBeGreaterThan(1);
    expect(blocks.length).toBe(layers.length + 2);
    for (const i of layers)
      await expectClose(blocks[1 + Number(i)] as tf.Tensor, golden.tensor(`mid.layer.${i}`), TOLERANCE.encoder);
  });

  it('gradients of all parameters equal the reference', async () => {
    const { golden, model } = await open(name);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const features = model.forward(golden.image('in.pixel_values'), tape);
    const { gradients } = tape.backward([[features, golden.image('in.d')]]);
    expect(await wrongGradients(model, golden, gradients, TOLERANCE.encoderGradient)).toEqual([]);
    expect([...model.namedParameters()].length).toBe(golden.names('grad.').length);
  });

  it('leaves one tensor, its result, and its input alone', async () => {
    const { golden, model } = await open(name);
    const pixels = golden.image('in.pixel_values');
    expect(await leakOf(() => model.forward(pixels, inference))).toBe(1);
    expect(pixels.isDisposed).toBe(false);
  });
});

it('refuses images of another size', () => {
  const model = new Vit(parseVitConfig(fixtureJson('vit-windows', 'config.json')));
  expectError(() => model.forward(tf.zeros([1, 80, 64, 3]), inference), {
    code: 'E_SHAPE',
    where: 'Vit pixelValues',
    what: 'expected shape [any, 80, 80, 3], got [1, 80, 64, 3]',
  });
});
