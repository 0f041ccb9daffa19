import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { geluByOperation, portableGelu } from '../../src/nn/activation.js';
import { type Activation, activation, gelu } from '../../src/nn/index.js';
import { useBackend } from '../support/backend.js';
import { nativeOpsMissing } from '../support/native-ops.js';

useBackend();

/** Ten times what float32 was measured to be off by (values 5.8e-7, slopes 2.4e-7). The tanh form is off by 4.7e-4. */
const TOLERANCE = 6e-6;

/** From -6 to 6, with zero and without symmetry. */
const points = Float32Array.from({ length: 401 }, (_, i) => -6 + 0.03 * i);

/** Φ in float64, the integral of the normal density by Simpson's rule. */
function normalCdf(x: number): number {
  const steps = 2000;
  const h = x / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * density(i * h);
  return 0.5 + (sum * h) / 3;
}

const density = (x: number) => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);

const largestError = (actual: ArrayLike<number>, expected: (x: number) => number) =>
  Math.max(...Array.from(points, (x, i) => Math.abs((actual[i] as number) - expected(x))));

const missing = await nativeOpsMissing();
const ways: [string, Activation][] = [
  ['as models call it', gelu],
  ['by its name in a config', activation('gelu')],
  ['of the backend', portableGelu],
  ...(missing === undefined ? [['of the native operations', geluByOperation] as [string, Activation]] : []),
];

describe.each(ways)('GELU %s', (_name, way) => {
  it('is x Φ(x) by the error function, not its tanh form', async () => {
    expect(largestError(await way(tf.tensor1d(points)).data(), (x) => x * normalCdf(x))).toBeLessThan(TOLERANCE);
  });

  it('has the slope Φ(x) + x φ(x), times what comes from above', async () => {
    const slope = tf.grad((x) => tf.mul(way(x), 3))(tf.tensor1d(points));
    expect(largestError(await slope.data(), (x) => 3 * (normalCdf(x) + x * density(x)))).toBeLessThan(3 * TOLERANCE);
  });
});

describe('ReLU', () => {
  const relu = activation('relu');

  it('is x where that is positive, else 0', async () => {
    expect(largestError(await relu(tf.tensor1d(points)).data(), (x) => Math.max(x, 0))).toBe(0);
  });

  it('passes the gradient where x is positive, and not at 0', async () => {
    const slope = await tf
      .grad((x) => tf.mul(relu(x), 3))(tf.tensor1d([-2, 0, 1e-30, 5]))
      .data();
    expect([...slope]).toEqual([0, 0, 3, 3]);
  });
});
