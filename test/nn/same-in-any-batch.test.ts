import { describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { withPortableKernels } from '../../src/backend/kernels/index.js';
import { Conv2d, eachImage } from '../../src/nn/index.js';
import { useBackend } from '../support/backend.js';
import { normalTensor } from '../support/random.js';
import { describeUnless, notNative } from '../support/skipped.js';

useBackend();
const missing = notNative(await initBackend());

const BATCH = 5;

/** The first rows of a result for the whole batch, and the result for these rows alone: from 1 to all but one. */
async function expectSameRows(x: tf.Tensor, compute: (rows: tf.Tensor) => tf.Tensor): Promise<void> {
  const whole = compute(x);
  for (let images = 1; images < BATCH; images++) {
    const first = (tensor: tf.Tensor) => tf.slice(tensor, 0, ((tensor.shape[0] as number) / BATCH) * images);
    expect(await compute(first(x)).data()).toEqual(await first(whole).data());
  }
}

describeUnless(missing, 'an image has the same bits in any batch', () => {
  // The sizes at which TensorFlow's own products differed on one of two processors.
  const SHAPES = [
    [256, 96, 48],
    [64, 192, 96],
    [16, 384, 192],
    [7, 33, 5],
  ] as const;

  it.each(SHAPES)('linear maps of %d rows an image, %d to %d', async (rows, inputs, outputs) => {
    const x = normalTensor([BATCH * rows, inputs], 1);
    const weight = normalTensor([outputs, inputs], 2);
    await expectSameRows(x, (part) => tf.matMul(part as tf.Tensor2D, weight as tf.Tensor2D, false, true));
  });

  it.each([
    [{ kernelSize: 4, stride: 4 }, 3, 24, 64],
    [{ kernelSize: 3, stride: 2, padding: 1 }, 192, 96, 5],
  ])('convolutions of %j', async (options, inputs, outputs, side) => {
    const layer = new Conv2d(inputs, outputs, options);
    for (const [, parameter] of layer.namedParameters()) parameter.assign(normalTensor(parameter.shape, 2));
    const x = normalTensor([BATCH, side, side, inputs], 1);
    await expectSameRows(x, (images) => eachImage(images as tf.Tensor4D, (each) => layer.forward(each)));
    layer.dispose();
  });
});

describe('a product of two matrices', () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('is that of the portable kernels, transposed %s and %s', async (first, second) => {
    const a = normalTensor(first ? [13, 37] : [37, 13], 1) as tf.Tensor2D;
    const b = normalTensor(second ? [21, 13] : [13, 21], 2) as tf.Tensor2D;
    const actual = await tf.matMul(a, b, first, second).data();
    const expected = await withPortableKernels(() => tf.matMul(a, b, first, second)).data();
    for (const [i, value] of actual.entries()) expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-5);
  });

  it('of no rows, or over nothing, is empty or zero', async () => {
    expect(tf.matMul(tf.zeros([0, 3]), tf.ones([3, 4])).shape).toEqual([0, 4]);
    expect(await tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).data()).toEqual(new Float32Array(6));
  });
});
