import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { phraseMasks, sentenceMasks } from '../../src/models/grounding-dino/text-masks.js';
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

describe('sentenceMasks', () => {
  const [CLS, SEP, STOP, PAD] = [101, 102, 1012, 0];

  it('lets each phrase read [CLS] and itself, with positions from 1, and leaves the frame alone', async () => {
    const prompt = tf.tensor2d([[CLS, 7, 8, STOP, 9, STOP, SEP, PAD]], undefined, 'int32');
    const { selfAttention, positionIds } = sentenceMasks(prompt);
    expect(await positionIds.array()).toEqual([[0, 1, 2, 3, 1, 2, 0, 0]]);
    const first = [1, 1, 1, 1, 0, 0, 0, 0];
    const second = [1, 0, 0, 0, 1, 1, 0, 0];
    const alone = (i: number) => Array.from({ length: 8 }, (_, j) => Number(i === j));
    expect(await selfAttention.array()).toEqual([[alone(0), first, first, first, second, second, alone(6), alone(7)]]);
  });

  it('does not depend on padding', async () => {
    const ids = [CLS, 7, STOP, SEP];
    const short = sentenceMasks(tf.tensor2d([ids], undefined, 'int32'));
    const long = sentenceMasks(tf.tensor2d([[...ids, PAD, PAD]], undefined, 'int32'));
    expect(await long.positionIds.slice([0, 0], [1, 4]).array()).toEqual(await short.positionIds.array());
    expect(await long.selfAttention.slice([0, 0, 0], [1, 4, 4]).array()).toEqual(await short.selfAttention.array());
  });
});
