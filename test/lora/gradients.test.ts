import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { adaptersIn, mergeLora } from '../../src/lora/index.js';
import { type GroundingDino, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { CheckpointedTape } from '../../src/nn/index.js';
import { loadGroundingDino } from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';

useBackend();

const BASE = 'grounding-dino-four-levels';

const open = (preset: string) =>
  loadGroundingDino(fixturePath(BASE), parseGroundingDinoConfig(fixtureJson(BASE, 'config.json')), {
    adapter: fixturePath(`lora-written/${preset}`),
  });

/** Gradients of a weighted sum of all outputs, with the same draws for every model. */
async function gradientsOf(model: GroundingDino) {
  const golden = await GoldenCase.read(BASE);
  const tape = new CheckpointedTape(Rng.seeded(9));
  const { layers, encoder } = model.forward(
    {
      pixelValues: golden.image('in.pixel_values'),
      pixelMask: golden.tensor<tf.Tensor3D>('in.pixel_mask'),
      inputIds: golden.tensor<tf.Tensor2D>('in.input_ids'),
      attentionMask: golden.tensor<tf.Tensor2D>('in.attention_mask'),
    },
    tape,
  );
  const outputs = [...layers, ...(encoder ? [encoder] : [])].flatMap(({ logits, predBoxes }) => [logits, predBoxes]);
  const pairs = outputs.map((output, i) => [output, tf.randomNormal(output.shape, 0, 1, 'float32', i + 1)] as const);
  const { gradients } = tape.backward(pairs);
  return gradients;
}

describe('gradients of adapters in the detector', () => {
  // The model whose weights are all trained is held against the reference, parameter by parameter; the chain rule does the rest.
  it.each(['paper', 'paper-code'])('%s: those that follow from the gradient of the whole weight', async (preset) => {
    const [model, whole] = [await open(preset), await open(preset)];
    const paths = adaptersIn(model).map(({ module, paths: [path] }) => ({ module, path }));
    // The whole weight knows no dropout on the adapter's input.
    for (const { module } of paths) Object.assign(module, { dropout: 0 });
    mergeLora(whole);
    whole.setTrainable(true);
    const [adapters, weights] = [await gradientsOf(model), await gradientsOf(whole)];
    const parameters = new Map(whole.namedParameters());
    const worst: [string, number][] = [];
    for (const { module, path } of paths) {
      const { loraA, loraB, alpha, rank } = module;
      const parameter = parameters.get(`${path}.weight`);
      const dW = parameter && (weights.get(parameter) as tf.Tensor2D | undefined);
      if (dW === undefined) throw new Error(`${path}: the whole weight has no gradient`);
      const scale = alpha / rank;
      for (const [half, expected] of [
        [loraA, tf.mul(tf.matMul(loraB.value as tf.Tensor2D, dW, true), scale)],
        [loraB, tf.mul(tf.matMul(dW, loraA.value as tf.Tensor2D, false, true), scale)],
      ] as const) {
        const actual = adapters.get(half);
        worst.push([path, actual ? relativeError(await actual.data(), await expected.data()) : Number.POSITIVE_INFINITY]);
      }
    }
    expect(worst.length).toBe(2 * paths.length);
    // 1e-3: two sums over all cells in float32, in another order.
    expect(worst.filter(([, error]) => error > 1e-3)).toEqual([]);
    for (const [parameter] of adapters) expect(parameter.trainable).toBe(true);
  });
});
