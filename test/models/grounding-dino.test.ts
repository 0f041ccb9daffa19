import { beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  GroundingDino,
  type GroundingDinoInputs,
  type GroundingDinoOutputs,
  groundingDinoToHuggingFace,
  groundingDinoUnusedKeys,
  parseGroundingDinoConfig,
} from '../../src/models/grounding-dino/index.js';
import { CheckpointedTape, type ForwardContext, inference, type Module } from '../../src/nn/index.js';
import { matchesPattern, Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { fixtureJson, GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

/** The golden gradients are those of a model without dropout and stochastic depth. */
const still = { dropout: 0, fusion_droppath: 0, attention_dropout: 0 };

async function load(name: string): Promise<{ golden: GoldenCase; model: GroundingDino; left: string[] }> {
  const golden = await GoldenCase.read(name);
  const json = fixtureJson(name, 'config.json') as { backbone_config: object; text_config: object };
  const config = parseGroundingDinoConfig({
    ...json,
    ...still,
    backbone_config: { ...json.backbone_config, drop_path_rate: 0 },
    text_config: { ...json.text_config, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
  });
  const model = new GroundingDino(config);
  const weights = await GoldenCase.read(name, 'model.safetensors');
  return { golden, model, left: weights.load(model) };
}

function inputsOf(golden: GoldenCase): GroundingDinoInputs {
  return {
    pixelValues: golden.image('in.pixel_values'),
    pixelMask: golden.tensor<tf.Tensor3D>('in.pixel_mask'),
    inputIds: golden.tensor<tf.Tensor2D>('in.input_ids'),
    attentionMask: golden.tensor<tf.Tensor2D>('in.attention_mask'),
    tokenTypeIds: golden.tensor<tf.Tensor2D>('in.token_type_ids'),
  };
}

/** What the golden loss weights, with its weights. */
function lossTerms(golden: GoldenCase, { layers, encoder }: GroundingDinoOutputs): [tf.Tensor, tf.Tensor][] {
  const parts = { last: layers[layers.length - 1], auxiliary: layers[0], encoder };
  return Object.entries(parts).flatMap(([key, layer]): [tf.Tensor, tf.Tensor][] => {
    if (layer === undefined) throw new Error(`no outputs of ${key}`);
    return [
      [layer.logits, golden.tensor(`in.grad.${key}.logits`)],
      [layer.predBoxes, golden.tensor(`in.grad.${key}.boxes`)],
    ];
  });
}

/**
 * Relative, except where the gradient is zero in exact arithmetic (biases of keys under softmax, biases before a norm): there
 * the reference holds rounding noise below 3e-6, while every other gradient of the fixtures reaches 4e-3.
 */
async function gradientDifference(gradient: tf.Tensor, expected: tf.Tensor): Promise<number> {
  const [actual, wanted] = await Promise.all([gradient.data(), expected.data()]);
  const largest = (values: ArrayLike<number>) => Array.from(values).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  if (largest(wanted) < 1e-5) return largest(actual) < 1e-5 ? 0 : Number.POSITIVE_INFINITY;
  return relativeError(actual, wanted);
}

/** Plain evaluation that keeps what the blocks give out, under the constructor name of the block's first owner. */
function recorder(): { context: ForwardContext; outputs: Map<string, Record<string, tf.Tensor | undefined>[]> } {
  const outputs = new Map<string, Record<string, tf.Tensor | undefined>[]>();
  const context: ForwardContext = {
    ...inference,
    block(owners, inputs, fn) {
      const out = inference.block(owners, inputs, fn);
      const owner = (Array.isArray(owners) ? owners[0] : owners) as Module;
      for (const tensor of Object.values(out)) if (tensor) tf.keep(tensor);
      outputs.set(owner.constructor.name, [...(outputs.get(owner.constructor.name) ?? []), out]);
      return out;
    },
  };
  return { context, outputs };
}

describe.each(['grounding-dino-four-levels', 'grounding-dino-three-levels', 'mm-grounding-dino'])('GroundingDino, %s', (name) => {
  let golden: GoldenCase;
  let model: GroundingDino;
  let left: string[];
  let inputs: GroundingDinoInputs;

  beforeAll(async () => {
    ({ golden, model, left } = await load(name));
    inputs = inputsOf(golden);
  });

  it('has the paths of the checkpoint', () => {
    expect(left.filter((key) => !groundingDinoUnusedKeys.some((pattern) => matchesPattern(key, pattern)))).toEqual([]);
  });

  it('agrees with the reference', async () => {
    const outputs = model.forward(inputs, inference);
    const { logits, predBoxes } = groundingDinoToHuggingFace(outputs, inputs.attentionMask as tf.Tensor2D, model.config);
    await expectClose(outputs.encoder?.predBoxes as tf.Tensor, golden.tensor('out.encoder.boxes'), TOLERANCE.detector);
    await expectClose(outputs.encoder?.logits as tf.Tensor, golden.tensor('out.encoder.logits'), TOLERANCE.detector);
    await expectClose(outputs.layers[0]?.logits as tf.Tensor, golden.tensor('out.auxiliary.logits'), TOLERANCE.detector);
    await expectClose(outputs.layers[0]?.predBoxes as tf.Tensor, golden.tensor('out.auxiliary.boxes'), TOLERANCE.detector);
    await expectClose(logits, golden.tensor('out.logits'), TOLERANCE.detector);
    await expectClose(predBoxes, golden.tensor('out.pred_boxes'), TOLERANCE.detector);
  });

  it('agrees layer by layer', async () => {
    const { context, outputs } = recorder();
    model.forward(inputs, context);
    const [projected] = outputs.get('InputProjection') ?? [];
    const [placed] = outputs.get('PositionOwner') ?? [];
    const positions = golden.tensor('mid.start.positions');
    const spread = tf.mul(placed?.['positions'] as tf.Tensor, tf.ones([positions.shape[0] as number, 1, 1]));
    await expectClose(projected?.['features'] as tf.Tensor, golden.tensor('mid.start.vision'), TOLERANCE.detector);
    await expectClose(spread, positions, TOLERANCE.detector);
    // A layer ends in two blocks: the text's, and the last norm of the image's, which is known by its output `vision`.
    const texts = outputs.get('TextEnhancerLayer') ?? [];
    const visions = (outputs.get('LayerNorm') ?? []).filter(({ vision }) => vision !== undefined);
    const count = golden.names('mid.encoder').filter((key) => key.endsWith('.text')).length;
    expect([texts.length, visions.length, count]).toEqual(new Array(3).fill(model.config.encoderLayers));
    for (let i = 0; i < count; i++) {
      await expectClose(texts[i]?.['text'] as tf.Tensor, golden.tensor(`mid.encoder${i}.text`), TOLERANCE.detector);
      await expectClose(visions[i]?.['vision'] as tf.Tensor, golden.tensor(`mid.encoder${i}.vision`), TOLERANCE.detector);
    }
  });

  it('has the gradients of the reference', async () => {
    const tape = new CheckpointedTape(Rng.seeded(1));
    const { gradients } = tape.backward(lossTerms(golden, model.forward(inputs, tape)));
    const errors: [string, number][] = [];
    for (const [path, parameter] of model.namedParameters()) {
      const gradient = gradients.get(parameter);
      const expected = golden.has(`grad.${path}`) ? golden.inLayout(`grad.${path}`, parameter.layout) : undefined;
      if (expected === undefined || gradient === undefined) {
        errors.push([`${path} ${expected ? 'expected' : 'unexpected'}`, Number.POSITIVE_INFINITY]);
        continue;
      }
      errors.push([path, await gradientDifference(gradient, expected)]);
    }
    expect(errors.length).toBeGreaterThan(100);
    expect(errors.filter(([, error]) => !(error < TOLERANCE.detectorGradient))).toEqual([]);
  });

  it('leaves nothing behind but its outputs', async () => {
    const leak = await leakOf(() => {
      const { layers, encoder } = model.forward(inputs, inference);
      tf.dispose([
        ...layers.flatMap((layer) => [layer.logits, layer.predBoxes]),
        encoder?.logits,
        encoder?.predBoxes,
      ] as tf.Tensor[]);
    });
    expect(leak).toBe(0);
  });

  it('leaves nothing behind in training but gradients', async () => {
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(1));
      const outputs = model.forward(inputs, tape);
      const terms = lossTerms(golden, outputs);
      const { gradients } = tape.backward(terms);
      tf.dispose([...gradients.values(), ...terms.map(([, weight]) => weight)]);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });
});
