import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { Bert, type BertConfig, type BertInputs, parseBertConfig } from '../../src/models/bert/index.js';
import { CheckpointedTape, inference } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

const withoutDropout = { hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 };

interface Fixture {
  readonly golden: GoldenCase;
  readonly bert: Bert;
  readonly inputs: BertInputs;
  /** Keys of the checkpoint that the model did not take. */
  readonly unused: readonly string[];
}

async function load(name: string, overrides: Partial<BertConfig> = {}): Promise<Fixture> {
  const golden = await GoldenCase.read(name);
  const bert = new Bert({ ...parseBertConfig(fixtureJson(name, 'config.json')), ...overrides });
  const unused = (await GoldenCase.read(name, 'model.safetensors')).load(bert);
  const inputs = {
    inputIds: golden.tensor<tf.Tensor2D>('in.input_ids'),
    attentionMask: golden.tensor<tf.Tensor3D>('in.attention_mask'),
    tokenTypeIds: golden.tensor<tf.Tensor2D>('in.token_type_ids'),
    positionIds: golden.tensor<tf.Tensor2D>('in.position_ids'),
  };
  return { golden, bert, inputs, unused };
}

describe('Bert', () => {
  it.each(['bert-phrases', 'bert-relu'])('agrees with the reference: %s', async (name) => {
    const { golden, bert, inputs, unused } = await load(name);
    expect(unused).toEqual([]);
    await expectClose(bert.forward(inputs, inference), golden.tensor('out.last_hidden_state'), TOLERANCE.encoder);
  });

  it('takes a mask of booleans too', async () => {
    const { golden, bert, inputs } = await load('bert-phrases');
    const attentionMask = tf.cast(inputs.attentionMask, 'bool');
    await expectClose(
      bert.forward({ ...inputs, attentionMask }, inference),
      golden.tensor('out.last_hidden_state'),
      TOLERANCE.encoder,
    );
  });

  it.each(['bert-phrases', 'bert-relu'])('has the gradients of the reference: %s', async (name) => {
    const { golden, bert, inputs } = await load(name, withoutDropout);
    const tape = new CheckpointedTape(Rng.seeded(1));
    const { gradients } = tape.backward([[bert.forward(inputs, tape), golden.tensor('in.grad')]]);
    const parameters = [...bert.namedParameters()];
    expect(parameters.map(([path]) => path).sort()).toEqual(golden.names('grad.').sort());
    for (const [path, parameter] of parameters) {
      const gradient = gradients.get(parameter) as tf.Tensor;
      // A key's bias adds the same to all scores of a query, so that softmax has no gradient for it: rounding is all there is.
      if (path.endsWith('self.key.bias')) await expectClose(tf.add(gradient, 1), tf.onesLike(gradient), TOLERANCE.encoder);
      else await expectClose(gradient, golden.tensor(`grad.${path}`), TOLERANCE.encoderGradient);
    }
  });

  it('leaves nothing behind but its states', async () => {
    const { bert, inputs } = await load('bert-phrases');
    expect(await leakOf(() => bert.forward(inputs, inference).dispose())).toBe(0);
  });

  it('leaves nothing behind after a training step', async () => {
    const { bert, inputs } = await load('bert-phrases');
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(3));
      const states = bert.forward(inputs, tape);
      const { gradients } = tape.backward([[states, states]]);
      expect(gradients.size).toBe(bert.trainableParameters().length);
      tf.dispose([...gradients.values()]);
      tape.dispose();
    });
    expect(leak).toBe(0);
  });

  it('drops units in training only, by the given draws', async () => {
    const { bert, inputs } = await load('bert-phrases');
    const train = async (seed: number) => [...(await bert.forward(inputs, new CheckpointedTape(Rng.seeded(seed))).data())];
    const evaluate = async () => [...(await bert.forward(inputs, inference).data())];
    expect(await train(1)).toEqual(await train(1));
    expect(await train(1)).not.toEqual(await train(2));
    expect(await evaluate()).not.toEqual(await train(1));
  });

  it('names the mask it expects', async () => {
    const { bert, inputs } = await load('bert-phrases');
    const attentionMask = tf.ones([2, 11, 1], 'int32') as tf.Tensor3D;
    expectError(() => bert.forward({ ...inputs, attentionMask }, inference), {
      code: 'E_SHAPE',
      where: 'Bert attentionMask',
      what: 'expected shape [2, 11, 11], got [2, 11, 1]',
    });
  });
});

describe('parseBertConfig', () => {
  it('takes the defaults of the reference', () => {
    expect(parseBertConfig({})).toEqual({
      vocabSize: 30522,
      hiddenSize: 768,
      numHiddenLayers: 12,
      numAttentionHeads: 12,
      intermediateSize: 3072,
      hiddenAct: 'gelu',
      hiddenDropoutProb: 0.1,
      attentionProbsDropoutProb: 0.1,
      maxPositionEmbeddings: 512,
      typeVocabSize: 2,
      initializerRange: 0.02,
      layerNormEps: 1e-12,
      padTokenId: 0,
    });
  });

  it.each([
    [{ hidden_act: 'swish', vocab_size: 0 }, /BERT config: vocab_size: .*, got 0; hidden_act: .*, got "swish"/],
    [{ hidden_size: 16, num_attention_heads: 3 }, /num_attention_heads: expected a divisor of hidden_size 16, got 3/],
  ])('refuses %j', (json, message) => {
    expect(() => parseBertConfig(json)).toThrow(message);
  });
});
