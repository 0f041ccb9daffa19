import { describe, expect, it } from '@jest/globals';
import { hasNativeLinear, initBackend, tf } from '../../src/backend/index.js';
import { withPortableKernels } from '../../src/backend/kernels/index.js';
import {
  activated,
  activation,
  addLinear,
  backThrough,
  Conv2d,
  ConvTranspose2d,
  constant,
  DepthwiseConv2d,
  Embedding,
  FrozenBatchNorm,
  GroupNorm,
  type Initialiser,
  inference,
  LayerNorm,
  Linear,
  type Module,
  normal,
  type TensorLayer,
  uniform,
  xavierUniform,
  zeros,
} from '../../src/nn/index.js';
import { ones } from '../../src/nn/init.js';
import { Rng, sizeOf } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';
import { normalTensor } from '../support/random.js';
import { itUnless, notNative } from '../support/skipped.js';

const missing = notNative(await initBackend());
useBackend();

/** Sums of at most a hundred products in float32. */
const TOLERANCE = 1e-5;

/** Gives all parameters values that are neither equal nor symmetric. */
function filled<M extends Module>(module: M): M {
  for (const [i, [, parameter]] of [...module.namedParameters()].entries())
    parameter.assign(normalTensor(parameter.shape, 10 + i));
  return module;
}

type At = (...index: number[]) => number;

/** A tensor's values by index; 0 beyond its borders. */
function valuesOf(tensor: tf.Tensor): At {
  const values = tensor.dataSync();
  return (...index) => {
    if (index.some((i, axis) => i < 0 || i >= (tensor.shape[axis] as number))) return 0;
    return values[index.reduce((sum, i, axis) => sum * (tensor.shape[axis] as number) + i, 0)] as number;
  };
}

/** A tensor of the values that a function has at each index. */
function tensorOf(shape: readonly number[], at: At): tf.Tensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let rest = i;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % (shape[axis] as number);
      rest = Math.floor(rest / (shape[axis] as number));
    }
    return at(...index);
  });
  return tf.tensor(values, [...shape]);
}

/** The sum over all indices below some bounds. */
function sumOver(bounds: readonly number[], term: At): number {
  const [bound, ...rest] = bounds;
  if (bound === undefined) return term();
  let sum = 0;
  for (let i = 0; i < bound; i++) sum += sumOver(rest, (...more) => term(i, ...more));
  return sum;
}

/** Expects a layer's values, and the shape that it promises. */
async function expectValues(layer: TensorLayer, x: tf.Tensor, shape: readonly number[], at: At): Promise<void> {
  const y = layer.forward(x, inference) as tf.Tensor;
  await expectClose(y, tensorOf(shape, at), TOLERANCE);
  expect(layer.computeOutputShape(x.shape)).toEqual(shape);
}

const BATCH = 2;

describe('a convolution', () => {
  const [height, width, channels, outputs] = [6, 5, 3, 4];
  const x = () => normalTensor<tf.Rank.R4>([BATCH, height, width, channels], 1);

  it.each([
    { kernelSize: 3, stride: 2, padding: 1 },
    { kernelSize: 2, bias: false },
    { kernelSize: 3, stride: 1, padding: 2 },
    { kernelSize: 1 },
    { kernelSize: 1, bias: false },
    { kernelSize: 1, stride: 2 },
    { kernelSize: 1, padding: 1 },
  ])('sums its window over the zero-padded map: %j', async (options) => {
    const { kernelSize, stride = 1, padding = 0 } = options;
    const layer = filled(new Conv2d(channels, outputs, options));
    const [input, weight] = [valuesOf(x()), valuesOf(layer.weight.value)];
    const bias = layer.bias === undefined ? () => 0 : valuesOf(layer.bias.value);
    const steps = (size: number) => Math.floor((size + 2 * padding - kernelSize) / stride) + 1;
    const shape = [BATCH, steps(height), steps(width), outputs];
    await expectValues(layer, x(), shape, (b = 0, i = 0, j = 0, o = 0) => {
      const from = (step: number, k: number) => step * stride + k - padding;
      const term: At = (u = 0, v = 0, c = 0) => input(b, from(i, u), from(j, v), c) * weight(u, v, c, o);
      return bias(o) + sumOver([kernelSize, kernelSize, channels], term);
    });
  });

  it('is a linear map if it neither looks around nor skips nor pads', async () => {
    const linear = (options: ConstructorParameters<typeof Conv2d>[2]) => new Conv2d(channels, outputs, options).isLinear;
    expect(linear({ kernelSize: 1 })).toBe(true);
    expect([{ kernelSize: 2 }, { kernelSize: 1, stride: 2 }, { kernelSize: 1, padding: 1 }].map(linear)).toEqual(
      Array(3).fill(false),
    );
    const layer = filled(new Conv2d(channels, outputs, { kernelSize: 1 }));
    const weight = valuesOf(layer.weight.value);
    const expected = tensorOf([outputs, channels], (o = 0, c = 0) => weight(0, 0, c, o));
    await expectClose(layer.asLinear(layer.weight.value), expected, 1e-9);
  });

  it('has the slope of its values', async () => {
    for (const options of [{ kernelSize: 3, stride: 2, padding: 1 }, { kernelSize: 1 }]) {
      const layer = filled(new Conv2d(2, 3, options));
      const error = await gradientError((map) => layer.forward(map as tf.Tensor4D), [normalTensor([1, 4, 3, 2], 3)]);
      expect(error).toBeLessThan(1e-3);
    }
  });
});

describe('a transposed convolution', () => {
  it('spreads each cell over a square of its own', async () => {
    const layer = filled(new ConvTranspose2d(3, 4, { stride: 2 }));
    const x = normalTensor([BATCH, 5, 4, 3], 1);
    const [input, weight, bias] = [x, layer.weight.value, layer.bias.value].map(valuesOf) as [At, At, At];
    await expectValues(layer, x, [BATCH, 10, 8, 4], (b = 0, i = 0, j = 0, o = 0) => {
      const [row, column] = [Math.floor(i / 2), Math.floor(j / 2)];
      return bias(o) + sumOver([3], (c = 0) => input(b, row, column, c) * weight(i % 2, j % 2, o, c));
    });
  });
});

describe('a depthwise convolution', () => {
  it.each([
    { options: { kernelSize: 3 }, padding: 1 },
    { options: { kernelSize: 3, bias: false }, padding: 1 },
    { options: { kernelSize: 4 }, padding: 2 },
    { options: { kernelSize: 5, padding: 0 }, padding: 0 },
  ])('sums the window of each channel alone: $options, padded by $padding', async ({ options, padding }) => {
    const kernel = options.kernelSize;
    const layer = filled(new DepthwiseConv2d(3, options));
    const x = normalTensor([BATCH, 7, 6, 3], 1);
    const [input, weight] = [x, layer.weight.value].map(valuesOf) as [At, At];
    const bias = layer.bias === undefined ? () => 0 : valuesOf(layer.bias.value);
    const steps = (size: number) => size + 2 * padding - kernel + 1;
    await expectValues(layer, x, [BATCH, steps(7), steps(6), 3], (b = 0, i = 0, j = 0, c = 0) => {
      const term: At = (u = 0, v = 0) => input(b, i + u - padding, j + v - padding, c) * weight(u, v, c, 0);
      return bias(c) + sumOver([kernel, kernel], term);
    });
    expect(await leakOf(() => layer.forward(x as tf.Tensor4D).dispose())).toBe(0);
  });
});

/** Large enough to show, next to a variance of 1. */
const EPS = 0.3;

describe('group norm', () => {
  it('takes mean and variance over a map and the channels of a group', async () => {
    const layer = filled(new GroupNorm(2, 6, EPS));
    const x = normalTensor([BATCH, 3, 2, 6], 1);
    const [input, weight, bias] = [x, layer.weight.value, layer.bias.value].map(valuesOf) as [At, At, At];
    await expectValues(layer, x, x.shape, (b = 0, i = 0, j = 0, c = 0) => {
      const first = c < 3 ? 0 : 3;
      const mean = (f: (value: number) => number) =>
        sumOver([3, 2, 3], (u = 0, v = 0, k = 0) => f(input(b, u, v, first + k))) / 18;
      const centre = mean((value) => value);
      const variance = mean((value) => (value - centre) ** 2);
      return ((input(b, i, j, c) - centre) / Math.sqrt(variance + EPS)) * weight(c) + bias(c);
    });
  });
});

describe('frozen batch norm', () => {
  /** With values for all four arrays, the variances positive. */
  const made = () => {
    const layer = filled(new FrozenBatchNorm(4, EPS));
    const arrays = Object.fromEntries(layer.namedParameters());
    arrays['running_var']?.assign(tf.tensor1d([0.2, 0.9, 1.7, 4]));
    return { layer, arrays };
  };

  it('takes mean and variance from its arrays, whatever the batch', async () => {
    const { layer, arrays } = made();
    const x = normalTensor([BATCH, 3, 4], 1);
    const [input, weight, bias, mean, variance] = [
      x,
      ...['weight', 'bias', 'running_mean', 'running_var'].map((name) => (arrays[name] as { value: tf.Tensor }).value),
    ].map(valuesOf) as [At, At, At, At, At];
    await expectValues(
      layer,
      x,
      x.shape,
      (b = 0, i = 0, c = 0) => ((input(b, i, c) - mean(c)) / Math.sqrt(variance(c) + EPS)) * weight(c) + bias(c),
    );
  });

  it('is never trained, and made again from its config', async () => {
    const { layer } = made();
    layer.trainable = true;
    expect(layer.trainableParameters()).toEqual([]);
    const again = FrozenBatchNorm.fromConfig(
      FrozenBatchNorm as never,
      JSON.parse(JSON.stringify(layer.getConfig())),
    ) as FrozenBatchNorm;
    again.setWeights(layer.getWeights());
    const x = normalTensor([2, 4], 1);
    expect(await again.forward(x).data()).toEqual(await layer.forward(x).data());
    expect(layer.computeOutputShape([null, 4])).toEqual([null, 4]);
  });
});

const ways: [string, <T>(body: () => T) => T][] = [
  ['as it runs here', (body) => body()],
  ['in portable operations', withPortableKernels],
];

describe.each(ways)('layer norm, %s', (_name, way) => {
  it('takes mean and variance over the last axis', async () => {
    const layer = filled(new LayerNorm(5, EPS));
    const x = normalTensor([BATCH, 3, 5], 1);
    const [input, weight, bias] = [x, layer.weight.value, layer.bias.value].map(valuesOf) as [At, At, At];
    await way(() =>
      expectValues(layer, x, x.shape, (b = 0, i = 0, c = 0) => {
        const mean = (f: (value: number) => number) => sumOver([5], (k = 0) => f(input(b, i, k))) / 5;
        const centre = mean((value) => value);
        const variance = mean((value) => (value - centre) ** 2);
        return ((input(b, i, c) - centre) / Math.sqrt(variance + EPS)) * weight(c) + bias(c);
      }),
    );
  });

  it('has the slope of its values for the input, the weight and the bias', async () => {
    const layer = filled(new LayerNorm(5, EPS));
    const x = normalTensor([BATCH, 3, 5], 1);
    const input = (given: tf.Tensor) => way(() => layer.forward(given));
    expect(await gradientError(input, [x])).toBeLessThan(1e-3);
    const dy = valuesOf(normalTensor(x.shape, 5));
    const [normalised, bias] = [valuesOf(layer.forward(x)), valuesOf(layer.bias.value)];
    const weight = valuesOf(layer.weight.value);
    const { grads } = way(() => tf.variableGrads(() => tf.sum(tf.mul(layer.forward(x), normalTensor(x.shape, 5))) as tf.Scalar));
    const rows = [BATCH, 3];
    await expectClose(
      grads[layer.bias.value.name] as tf.Tensor,
      tensorOf([5], (c = 0) => sumOver(rows, (b = 0, i = 0) => dy(b, i, c))),
      TOLERANCE,
    );
    await expectClose(
      grads[layer.weight.value.name] as tf.Tensor,
      tensorOf([5], (c = 0) => sumOver(rows, (b = 0, i = 0) => (dy(b, i, c) * (normalised(b, i, c) - bias(c))) / weight(c))),
      1e-4,
    );
  });
});

describe('an embedding', () => {
  it('looks up a row for each index', async () => {
    const layer = filled(new Embedding(7, 3));
    const ids = tf.tensor2d([6, 0, 3, 3, 1, 2], [2, 3], 'int32');
    const [id, row] = [valuesOf(ids), valuesOf(layer.weight.value)];
    await expectValues(layer, ids, [2, 3, 3], (i = 0, j = 0, c = 0) => row(id(i, j), c));
  });
});

/** Names of the kernels that a pass runs. */
const kernelsOf = async (pass: () => tf.Tensor) => (await tf.profile(() => tf.tidy(pass))).kernels.map(({ name }) => name);

describe('a linear layer', () => {
  const layerOf = (bias: boolean, frozen: boolean) => {
    const layer = filled(new Linear(5, 3, { bias }));
    layer.setTrainable(!frozen);
    return layer;
  };
  const kinds = [
    { bias: true, frozen: false },
    { bias: true, frozen: true },
    { bias: false, frozen: false },
    { bias: false, frozen: true },
  ];

  it.each(kinds)('is x Wᵀ + b over the last axis, at any rank, with its slope: %j', async ({ bias, frozen }) => {
    const layer = layerOf(bias, frozen);
    const weight = valuesOf(layer.weight.value);
    const shift = layer.bias === undefined ? () => 0 : valuesOf(layer.bias.value);
    for (const lead of [[], [4], [2, 3]]) {
      const x = normalTensor([...lead, 5], 1);
      const input = valuesOf(x);
      await expectValues(layer, x, [...lead, 3], (...index) => {
        const [rows, o] = [index.slice(0, -1), index.at(-1) as number];
        return shift(o) + sumOver([5], (c = 0) => input(...rows, c) * weight(o, c));
      });
      expect(await gradientError((given) => layer.forward(given), [x])).toBeLessThan(1e-3);
    }
    expect(await leakOf(() => layer.forward(tf.zeros([2, 5])).dispose())).toBe(1); // the zeros
  });

  it('gives gradients to the part of it that is trained', async () => {
    const x = normalTensor([2, 3, 5], 1);
    const dy = normalTensor([2, 3, 3], 2);
    const [input, slope] = [valuesOf(x), valuesOf(dy)];
    const ofWeight = tensorOf([3, 5], (o = 0, c = 0) => sumOver([2, 3], (b = 0, i = 0) => slope(b, i, o) * input(b, i, c)));
    const ofBias = tensorOf([3], (o = 0) => sumOver([2, 3], (b = 0, i = 0) => slope(b, i, o)));
    for (const [weight, bias] of [
      [true, true],
      [false, true],
      [true, false],
    ] as const) {
      const layer = layerOf(true, false);
      layer.weight.trainable = weight;
      if (layer.bias !== undefined) layer.bias.trainable = bias;
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.forward(x), dy)) as tf.Scalar);
      const expected = [
        ...(weight ? [[layer.weight, ofWeight] as const] : []),
        ...(bias && layer.bias ? [[layer.bias, ofBias] as const] : []),
      ];
      expect(Object.keys(grads)).toHaveLength(expected.length);
      for (const [parameter, gradient] of expected)
        await expectClose(grads[parameter.value.name] as tf.Tensor, gradient, TOLERANCE);
      layer.dispose();
    }
  });

  it.each(kinds)('has the values and slopes of its parts with an activation, or added to a tensor: %j', async (kind) => {
    const layer = layerOf(kind.bias, kind.frozen);
    const x = normalTensor([2, 3, 5], 1);
    const to = normalTensor([2, 3, 3], 3);
    const dy = normalTensor([2, 3, 3], 4);
    const pairs: [(given: tf.Tensor) => tf.Tensor, (given: tf.Tensor) => tf.Tensor][] = [
      [(given) => activated(layer, 'relu', given), (given) => tf.relu(layer.forward(given))],
      [(given) => activated(layer, 'gelu', given), (given) => activation('gelu')(layer.forward(given))],
      [(given) => layer.forwardRelu(given), (given) => tf.relu(layer.forward(given))],
      [(given) => addLinear(to, layer, given), (given) => tf.add(to, layer.forward(given))],
    ];
    for (const [whole, parts] of pairs) {
      await expectClose(whole(x), parts(x), TOLERANCE);
      await expectClose(tf.grad(whole)(x, dy), tf.grad(parts)(x, dy), TOLERANCE);
    }
    await expectClose(tf.grad((given) => addLinear(given, layer, x))(to, dy), dy, 1e-9);
    expect(await leakOf(() => tf.dispose([activated(layer, 'gelu', x), addLinear(to, layer, x)]))).toBe(0);
  });

  itUnless(
    missing,
    'is one operation with its activation or addition, unless a gradient is recorded or it has no bias',
    async () => {
      expect(hasNativeLinear()).toBe(true);
      const x = normalTensor([4, 5], 1);
      const to = normalTensor([4, 3], 2);
      for (const run of [
        (layer: Linear, given: tf.Tensor) => activated(layer, 'gelu', given),
        (layer: Linear, given: tf.Tensor) => activated(layer, 'relu', given),
        (layer: Linear, given: tf.Tensor) => addLinear(to, layer, given),
      ]) {
        const fused = layerOf(true, false);
        const others = (names: string[]) => names.filter((name) => !/Reshape|SonogroundLinear$/.test(name));
        expect(others(await kernelsOf(() => run(fused, x)))).toEqual([]);
        expect(others(await kernelsOf(() => run(layerOf(false, false), x)))).not.toEqual([]);
        expect(others(await kernelsOf(() => tf.grad((given) => run(fused, given))(x)))).not.toEqual([]);
      }
    },
  );

  it('sends a gradient back to its input, recorded or not', async () => {
    const [dy, weight] = [normalTensor([2, 3, 4], 1), normalTensor([4, 5], 2)];
    const [slope, factor] = [valuesOf(dy), valuesOf(weight)];
    const expected = tensorOf([2, 3, 5], (b = 0, i = 0, c = 0) => sumOver([4], (o = 0) => slope(b, i, o) * factor(o, c)));
    await expectClose(backThrough(dy, weight), expected, TOLERANCE);
    expect(await gradientError((given) => backThrough(given, weight), [dy])).toBeLessThan(1e-3);
    expect(await leakOf(() => backThrough(dy, weight).dispose())).toBe(0);
  });

  it('describes itself to what fuses it, without a bias not at all', () => {
    const [layer, bare] = [layerOf(true, false), layerOf(false, false)];
    expect(layer.plain).toBe(layer);
    expect(layer.dense()).toEqual({ weight: layer.weight.value, bias: layer.bias?.value });
    expect(bare.dense()).toBeUndefined();
    expect([layer.precision, layer.reused, new Linear(2, 2, { reused: true }).reused]).toEqual(['float32', false, true]);
  });

  it('refuses an input of another width', () => {
    expect(() => layerOf(true, false).forward(tf.zeros([2, 4]))).toThrow(/linear.*\[2, ?5\].*\[2, ?4\]/);
  });
});

describe('starting values', () => {
  const drawn = (init: Initialiser, shape: readonly number[]) => init(shape, Rng.seeded(1));
  const extent = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));
  const deviation = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length);

  it('fill a shape with what their names say', () => {
    expect([...drawn(zeros, [2, 3])]).toEqual(Array(6).fill(0));
    expect([...drawn(ones, [2, 3])]).toEqual(Array(6).fill(1));
    expect([...drawn(constant(-2.5), [2, 3])]).toEqual(Array(6).fill(-2.5));
    expect(drawn(normal(0.5), [40, 50])).toHaveLength(2000);
    expect(deviation(drawn(normal(0.5), [40, 50]))).toBeCloseTo(0.5, 1);
    const spread = drawn(uniform(0.5), [40, 50]);
    expect(extent(spread)).toBeLessThanOrEqual(0.5);
    // A uniform distribution of this extent on both sides of 0.
    expect(deviation(spread)).toBeCloseTo(0.5 / Math.sqrt(3), 1);
    expect(Math.min(...spread)).toBeLessThan(-0.49);
    expect(Math.max(...spread)).toBeGreaterThan(0.49);
    // The square root of 6 / (10 + 14).
    expect(extent(drawn(xavierUniform, [10, 14]))).toBeLessThanOrEqual(0.5);
    expect(extent(drawn(xavierUniform, [10, 14]))).toBeGreaterThan(0.47);
  });

  // One over the square root of how many numbers enter a sum.
  const bounds: [string, () => Module & { readonly weight: { readonly value: tf.Tensor } }, number][] = [
    ['a linear layer', () => new Linear(64, 30), 1 / 8],
    ['a convolution', () => new Conv2d(4, 30, { kernelSize: 4 }), 1 / 8],
    ['a transposed convolution', () => new ConvTranspose2d(30, 4, { stride: 4 }), 1 / 8],
    ['a depthwise convolution', () => new DepthwiseConv2d(100, { kernelSize: 4 }), 1 / 4],
  ];
  it.each(bounds)('of %s are uniform within the bound of torch, and its bias is zero', async (_name, make, bound) => {
    const layer = make();
    layer.initialise(Rng.seeded(1));
    const [weight, bias] = [...layer.namedParameters()].map(([, parameter]) => parameter.value.dataSync());
    expect(extent(weight as ArrayLike<number>)).toBeLessThanOrEqual(bound);
    expect(extent(weight as ArrayLike<number>)).toBeGreaterThan(0.98 * bound);
    expect(extent(bias as ArrayLike<number>)).toBe(0);
  });

  it('of norms change nothing, and those of embeddings are as wide as asked for', () => {
    for (const norm of [new LayerNorm(6), new GroupNorm(2, 6)]) {
      norm.initialise(Rng.seeded(1));
      expect([...norm.weight.value.dataSync()]).toEqual(Array(6).fill(1));
      expect([...norm.bias.value.dataSync()]).toEqual(Array(6).fill(0));
    }
    const widths = [new Embedding(40, 50), new Embedding(40, 50, 0.5)].map((layer) => {
      layer.initialise(Rng.seeded(1));
      return deviation(layer.weight.value.dataSync());
    });
    expect(widths[0]).toBeCloseTo(0.02, 3);
    expect(widths[1]).toBeCloseTo(0.5, 1);
  });

  it('of a linear layer are those that it was given', () => {
    const layer = new Linear(2, 3, { weightInit: constant(0.25), biasInit: constant(-1) });
    layer.initialise(Rng.seeded(1));
    expect([...layer.weight.value.dataSync(), ...(layer.bias?.value.dataSync() ?? [])]).toEqual([
      ...Array(6).fill(0.25),
      ...Array(3).fill(-1),
    ]);
  });
});

describe('a layer made again from its config', () => {
  const layers: [string, () => TensorLayer, number[]][] = [
    ['Linear', () => new Linear(5, 3), [2, 5]],
    ['Linear without a bias', () => new Linear(5, 3, { bias: false }), [2, 5]],
    ['Conv2d', () => new Conv2d(3, 4, { kernelSize: 2, stride: 3, padding: 1, bias: false }), [2, 7, 6, 3]],
    ['ConvTranspose2d', () => new ConvTranspose2d(3, 4, { stride: 2 }), [2, 3, 2, 3]],
    ['DepthwiseConv2d', () => new DepthwiseConv2d(3, { kernelSize: 5, padding: 1 }), [2, 7, 6, 3]],
    ['DepthwiseConv2d without a bias', () => new DepthwiseConv2d(3, { kernelSize: 3, bias: false }), [2, 7, 6, 3]],
    ['Embedding', () => new Embedding(7, 3), []],
    ['LayerNorm', () => new LayerNorm(5, EPS), [2, 5]],
    ['GroupNorm', () => new GroupNorm(2, 6, EPS), [2, 3, 2, 6]],
  ];

  it.each(layers)('%s computes the same with the same weights, and stays frozen', async (_name, make, shape) => {
    const layer = filled(make());
    layer.trainable = false;
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<TensorLayer>;
    const again = Class.fromConfig(Class, JSON.parse(JSON.stringify(layer.getConfig())));
    again.setWeights(layer.getWeights());
    expect([again.name, again.trainable]).toEqual([layer.name, false]);
    const x = shape.length === 0 ? tf.tensor1d([6, 0, 2], 'int32') : normalTensor(shape, 1);
    const [y, expected] = [again, layer].map((one) => one.forward(x, inference) as tf.Tensor) as [tf.Tensor, tf.Tensor];
    expect(y.shape).toEqual(expected.shape);
    expect(await y.data()).toEqual(await expected.data());
    const unknown = x.shape.map((size, axis) => (axis === x.shape.length - 1 && shape.length > 0 ? size : null));
    const open = y.shape.map((size, axis) => (axis === y.shape.length - 1 ? size : null));
    expect(layer.computeOutputShape(unknown)).toEqual(open);
  });
});
