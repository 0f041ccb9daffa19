import { describe, expect, it } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';
import { phraseMasks } from '../../src/models/grounding-dino/text-masks.js';
import { useBackend } from '../support/backend.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

describe('phraseMasks', () => {
  it('splits prompts as the reference does', async () => {
    const golden = await GoldenCase.read('grounding-dino-text-masks');
    const { selfAttention, positionIds } = phraseMasks(golden.tensor<tf.Tensor2D>('in.input_ids'));
    expect(await selfAttention.array()).toEqual(await golden.tensor('out.mask').array());
    expect(await positionIds.array()).toEqual(await golden.tensor('out.position_ids').array());
  });
});
