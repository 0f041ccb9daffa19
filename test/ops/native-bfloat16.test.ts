import { expect, it } from '@jest/globals';
import { hasNativeBfloat16, nativeAttention, nativeLinear, nativeMlp, packBfloat16, tf } from '../../src/backend/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';

const missing = await nativeOpsMissing();

const random = (shape: number[], seed: number): tf.Tensor => {
  const rng = Rng.seeded(seed);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  );
};

/** To 8 significant bits, ties to even. */
function rounded(x: tf.Tensor): tf.Tensor {
  const words = new Uint32Array(Float32Array.from(x.dataSync()).buffer);
  const half = words.map((word) => ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0);
  return tf.tensor(new Float32Array(half.buffer), x.shape);
}

describeNative(missing, 'linear maps in bfloat16', () => {
  it.each([
    [1, 1, 1],
    [3, 31, 33],
    [7, 33, 5],
    [100, 500, 40],
    [300, 97, 70],
    [0, 8, 8],
    [4, 0, 3],
  ])('multiply rounded factors and add up in float32: %i rows, %i inputs, %i outputs', async (rows, inputs, outputs) => {
    const [x, weight, bias, added] = [
      random([rows, inputs], 1),
      random([outputs, inputs], 2),
      random([outputs], 3),
      random([rows, outputs], 4),
    ];
    const half = nativeLinear({ x, weight: packBfloat16(weight), bias, added }, 'relu');
    expect(half.dtype).toBe('float32');
    await expectClose(half, nativeLinear({ x: rounded(x), weight: rounded(weight), bias, added }, 'relu'), 1e-5);
  });

  it('differ from float32, as they would not if the weight were kept', async () => {
    const [x, weight, bias] = [random([20, 64], 1), random([10, 64], 2), random([10], 3)];
    const [single, half] = [weight, packBfloat16(weight)].map((own) => nativeLinear({ x, weight: own, bias }));
    const difference = tf.max(tf.abs(tf.sub(single as tf.Tensor, half as tf.Tensor))).dataSync()[0] as number;
    expect(difference).toBeGreaterThan(1e-3);
    expect(difference).toBeLessThan(0.2);
  });

  it('take half the memory, but for padding', () => {
    const weight = random([256, 512], 1);
    expect(packBfloat16(weight).size).toBe(weight.size / 2);
  });

  it.each([1, 7, 255, 256, 300])('give a row the same bits among %i rows as alone', async (rows) => {
    const [x, weight, bias] = [random([rows, 130], 1), packBfloat16(random([70, 130], 2)), random([70], 3)];
    const all = nativeLinear({ x, weight, bias });
    for (const row of [0, rows >> 1, rows - 1]) {
      const one = nativeLinear({ x: tf.slice(x, [row, 0], [1, 130]), weight, bias });
      expect(await one.data()).toEqual(await tf.slice(all, [row, 0], [1, 70]).data());
    }
  });

  it.each([
    [5, 30],
    [300, 500],
  ])('give an MLP the bits of one map after the other: %i rows, %i hidden', async (rows, hidden) => {
    const [x, first, second] = [
      random([rows, 40], 1),
      packBfloat16(random([hidden, 40], 2)),
      packBfloat16(random([30, hidden], 3)),
    ];
    const [expandBias, contractBias, added] = [random([hidden], 4), random([30], 5), random([rows, 30], 6)];
    const mlp = nativeMlp({ x, expandWeight: first, expandBias, contractWeight: second, contractBias, added }, 'gelu');
    const between = nativeLinear({ x, weight: first, bias: expandBias }, 'gelu');
    expect(await mlp.data()).toEqual(await nativeLinear({ x: between, weight: second, bias: contractBias, added }).data());
  });

  it('refuse a packed weight of another size, rather than read beyond it', () => {
    const [x, bias, weight] = [random([2, 40], 1), random([8], 2), packBfloat16(random([8, 20], 3))];
    expect(() => nativeLinear({ x, weight, bias })).toThrow(/packed in bfloat16/);
    expect(() => nativeLinear({ x: random([2, 20], 1), weight, bias: random([800], 2) })).toThrow(/packed in bfloat16/);
    expect(() => nativeMlp({ x, expandWeight: weight, expandBias: bias, contractWeight: weight, contractBias: bias })).toThrow(
      /packed in bfloat16/,
    );
    expect(() => packBfloat16(random([8], 1))).toThrow(/expected a weight \[out, in\]/);
  });

  it('leave no tensors behind', async () => {
    expect(hasNativeBfloat16()).toBe(true);
    const leak = await leakOf(() =>
      tf.tidy(() => void nativeLinear({ x: random([9, 40], 1), weight: packBfloat16(random([8, 40], 2)), bias: random([8], 3) })),
    );
    expect(leak).toBe(0);
  });
});

describeNative(missing, 'attention in bfloat16', () => {
  it('is near that in float32, for factors that need rounding, and groups of any size', async () => {
    for (const [groups, n] of [
      [3, 20],
      [1, 300],
    ] as const) {
      const none = tf.zeros([0]);
      const rows = tf.zeros([groups, 0], 'int32');
      const [query, key, value] = [1, 2, 3].map((seed) => random([groups * n, 66], seed)) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const inputs = { query, key, value, queryRows: rows, keyRows: rows, padding: none, bias: none, mask: none };
      const sizes = { heads: 2, depth: 33, scale: 0.17, offsets: [0, 0, 0] } as const;
      const [single, named, half] = ([undefined, 'float32', 'bfloat16'] as const).map((precision) =>
        nativeAttention(inputs, { ...sizes, precision }),
      ) as [tf.Tensor, tf.Tensor, tf.Tensor];
      expect(await named.data()).toEqual(await single.data());
      const difference = tf.max(tf.abs(tf.sub(single, half))).dataSync()[0] as number;
      expect(difference).toBeGreaterThan(1e-4);
      expect(difference).toBeLessThan(0.05);
    }
  });
});
