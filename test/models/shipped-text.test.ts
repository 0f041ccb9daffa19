import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';
import { Bert } from '../../src/models/bert/index.js';
import { inference } from '../../src/nn/index.js';
import { type DetectorParts, loadDetector, ultrasoundModels } from '../../src/pretrained/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { GoldenCase } from '../support/golden.js';
import { TOLERANCE } from '../support/tolerances.js';

useBackend();

/** As in tools/golden/shipped_text.py. */
const PROMPTS = [
  ['breast lesion', 'neck artery'],
  ['space-occupying mass in the breast', 'skull of the fetus'],
];

let golden: GoldenCase;
let parts: DetectorParts;
beforeAll(async () => {
  golden = await GoldenCase.read('shipped-text');
  parts = await loadDetector(ultrasoundModels.detector);
});
afterAll(() => void parts.model.dispose());

describe('the text backbone of the detector for real ultrasound', () => {
  it('gets the word pieces of the reference tokenizer', () => {
    const ids = golden.tensor<tf.Tensor2D>('in.input_ids').arraySync();
    const own = PROMPTS.map((phrases) => [...parts.tokenizer.encode(phrases).inputIds]);
    expect(own).toEqual(ids.map((row, b) => row.slice(0, own[b]?.length)));
    expect(ids.flatMap((row, b) => row.slice(own[b]?.length)).every((id) => id === 0)).toBe(true);
    expect(ids.flat()).not.toContain(100); // every word can be spelled
  });

  it('has the hidden states of the reference', async () => {
    const [, bert] = [...parts.model.namedModules()].find(([path]) => path === 'model.text_backbone') ?? [];
    if (!(bert instanceof Bert)) throw new Error('the detector has no BERT');
    const inputs = {
      inputIds: golden.tensor<tf.Tensor2D>('in.input_ids'),
      attentionMask: golden.tensor<tf.Tensor3D>('in.attention_mask'),
      tokenTypeIds: golden.tensor<tf.Tensor2D>('in.token_type_ids'),
      positionIds: golden.tensor<tf.Tensor2D>('in.position_ids'),
    };
    await expectClose(bert.forward(inputs, inference), golden.tensor('out.last_hidden_state'), TOLERANCE.encoder);
  });
});
