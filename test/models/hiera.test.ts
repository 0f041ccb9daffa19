import { afterEach, describe, expect, it } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';
import { Hiera, parseHieraConfig } from '../../src/models/hiera/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { loadCheckpoint } from '../../src/weights/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

async function open(): Promise<{ golden: GoldenCase; model: Hiera }> {
  const model = new Hiera(parseHieraConfig(fixtureJson('hiera-oblong', 'config.json')));
  await loadCheckpoint(model, fixturePath('hiera-oblong'));
  return { golden: await GoldenCase.read('hiera-oblong'), model };
}

describe('Hiera with an oblong image, one channel, oblong patches and a stage that does not pool', () => {
  it('agrees with the reference, stage by stage', async () => {
    const { golden, model } = await open();
    const stages = model.forward(golden.image('in.pixel_values'), inference);
    expect(stages.length).toBe(golden.names('out.').length);
    for (const [i, stage] of stages.entries()) await expectClose(stage, golden.tensor(`out.${i}`), TOLERANCE.encoder);
  });

  afterEach(() => {
    delete process.env['SONOGROUND_TENSOR_MB'];
  });

  it.each([
    ['', ''],
    [', cut for a device that holds 1 KB in a tensor', '0.001'],
  ])('has the gradients of the reference%s', async (_name, limit) => {
    process.env['SONOGROUND_TENSOR_MB'] = limit;
    const { golden, model } = await open();
    const tape = new CheckpointedTape(Rng.seeded(1));
    const stages = model.forward(golden.image('in.pixel_values'), tape);
    const { gradients } = tape.backward(stages.map((stage, i) => [stage, golden.tensor(`in.d.${i}`)] as const));
    const parameters = [...model.namedParameters()];
    expect(parameters.map(([path]) => path).sort()).toEqual(golden.names('grad.').sort());
    for (const [path, parameter] of parameters) {
      await expectClose(
        gradients.get(parameter) as tf.Tensor,
        golden.inLayout(`grad.${path}`, parameter.layout),
        TOLERANCE.encoderGradient,
      );
    }
  });
});
