import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { maskLosses, objectScoreLoss, thresholdedIou } from '../../src/losses/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const TOLERANCE = 1e-4;

describe('mask losses', () => {
  it('equal transformers, with their gradients', async () => {
    const golden = await GoldenCase.read('losses-masks');
    const [logits, targets] = [golden.tensor<tf.Tensor3D>('in.logits'), golden.tensor<tf.Tensor3D>('in.targets')];
    const predicted = golden.tensor<tf.Tensor1D>('in.iou');
    const weights = golden.tensor<tf.Tensor1D>('in.weights');
    const trueIou = thresholdedIou(logits, targets);
    await expectClose(trueIou, golden.tensor('out.true_iou'), TOLERANCE);

    const all = (x: tf.Tensor, p: tf.Tensor) => {
      const { focal, dice, iou } = maskLosses(x as tf.Tensor3D, p as tf.Tensor1D, targets, trueIou);
      return tf.stack([focal, dice, iou], 1); // [N, 3]
    };
    await expectClose(all(logits, predicted), golden.tensor('out.losses'), TOLERANCE);
    const [dLogits, dIou] = tf.grads((x, p) => tf.sum(tf.mul(all(x as tf.Tensor, p as tf.Tensor), weights)))([logits, predicted]);
    await expectClose(dLogits as tf.Tensor, golden.tensor('grad.logits'), TOLERANCE);
    await expectClose(dIou as tf.Tensor, golden.tensor('grad.iou'), TOLERANCE);
  });

  it('count two empty masks as equal', async () => {
    const iou = thresholdedIou(
      tf.fill([2, 3, 4], -1) as tf.Tensor3D,
      tf.stack([tf.zeros([3, 4]), tf.ones([3, 4])]) as tf.Tensor3D,
    );
    const [both = 0, one = 1] = await iou.data();
    expect(both).toBe(1);
    expect(one).toBeLessThan(1e-6);
  });

  it('of object scores are the cross-entropy, summed, and leave nothing behind but it', async () => {
    const [logits, present] = [tf.tensor2d([[-2], [0.5], [3]]), tf.tensor2d([[0], [1], [0]])];
    const [loss] = await objectScoreLoss(logits, present).data();
    const no = (logit: number) => Math.log(1 + Math.exp(logit));
    expect(loss).toBeCloseTo(no(-2) + no(-0.5) + no(3), 5);
    expect(await leakOf(() => objectScoreLoss(logits, present).dispose())).toBe(0);
  });

  it('leave nothing behind but the losses', async () => {
    const golden = await GoldenCase.read('losses-masks');
    const [logits, targets, predicted] = [
      golden.tensor<tf.Tensor3D>('in.logits'),
      golden.tensor<tf.Tensor3D>('in.targets'),
      golden.tensor<tf.Tensor1D>('in.iou'),
    ];
    const body = () => {
      const trueIou = thresholdedIou(logits, targets);
      const losses = maskLosses(logits, predicted, targets, trueIou);
      tf.dispose([trueIou, { ...losses }]);
    };
    expect(await leakOf(body)).toBe(0);
  });
});
