import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  adaptersIn,
  applyLora,
  LoraLinear,
  type LoraSpec,
  loraPresets,
  mergeLora,
  removeLora,
  setAdapterScale,
} from '../../src/lora/index.js';
import { GroundingDino, parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { CheckpointedTape, type ForwardContext, inference, LayerNorm, Linear, Module } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { normalTensor } from '../support/random.js';

useBackend();

class Layer extends Module {
  readonly fc1 = this.child('fc1', new Linear(3, 5));
  readonly fc2 = this.child('fc2', new Linear(5, 3, { bias: false }));

  forward(x: tf.Tensor, context: ForwardContext): tf.Tensor {
    return context.block(this, { x }, (inputs) => ({
      y: tf.add(inputs.x, this.fc2.forward(tf.tanh(this.fc1.forward(inputs.x)))),
    })).y;
  }
}

/** A list of layers, a record of modules, and a head that is reachable along two paths. */
class Net extends Module {
  readonly layers = this.childList('encoder.layers', [new Layer(), new Layer()]);
  readonly ends = { norm: this.child('norm', new LayerNorm(3)), out: this.child('out', new Linear(3, 3)) };
  readonly head = this.child('head', new Linear(3, 2));
  readonly heads: Linear[];

  constructor() {
    super();
    this.heads = [this.head, this.child('copy', this.head)];
    this.initialise(Rng.seeded(1));
  }

  forward(x: tf.Tensor, context: ForwardContext): tf.Tensor {
    const y = this.layers.reduce((h, layer) => layer.forward(h, context), x);
    return context.block([this.ends.norm, this.ends.out, ...this.heads], { y }, (inputs) => {
      const h = this.ends.out.forward(this.ends.norm.forward(inputs.y));
      return {
        z: tf.concat(
          this.heads.map((head) => head.forward(h)),
          -1,
        ),
      };
    }).z;
  }
}

const spec: LoraSpec = {
  rank: 2,
  alpha: 3,
  targetModules: ['encoder.layers.*.{fc1,fc2}', 'out', 'copy'],
  modulesToSave: ['norm'],
};
const x = () => tf.tensor([0.3, -0.2, 0.9, 1.1, 0.4, -0.8], [2, 1, 3]);

/** A model whose adapters do something. */
function adapted(): Net {
  const net = new Net();
  applyLora(net, spec, Rng.seeded(2));
  for (const [path, parameter] of net.namedParameters()) {
    if (!path.endsWith('lora_B.weight')) continue;
    const values = normalTensor(parameter.shape, path.length, 0.3);
    parameter.assign(values);
    values.dispose();
  }
  return net;
}

describe('applyLora', () => {
  it('changes nothing before training, and puts one adapter into a shared layer', async () => {
    const net = new Net();
    const before = net.forward(x(), inference);
    applyLora(net, spec, Rng.seeded(2));
    await expectClose(net.forward(x(), inference), before, 1e-7);
    expect(net.head).toBeInstanceOf(LoraLinear);
    expect(net.heads[1]).toBe(net.head);
    expect(net.ends.out).toBeInstanceOf(LoraLinear);
    expect(net.layers[1]?.fc2).toBeInstanceOf(LoraLinear);
  });

  it('keeps the paths of wrapped layers, and adds those of peft', () => {
    const before = [...new Net().namedParameters()].map(([path]) => path);
    const after = [...adapted().namedParameters()].map(([path]) => path);
    expect(before.filter((path) => !after.includes(path))).toEqual([]);
    expect(after).toContain('encoder.layers.1.fc2.lora_A.weight');
    expect(after.length - before.length).toBe(2 * 7);
  });

  it('draws A within the bound of kaiming_uniform_ and the same from the same seed', async () => {
    const [a, b] = [adapted(), adapted()].map((net) => (net.head as LoraLinear).loraA.value);
    const values = await (a as tf.Tensor).data();
    expect([...values]).toEqual([...(await (b as tf.Tensor).data())]);
    expect(Math.max(...values.map(Math.abs))).toBeLessThan(1 / Math.sqrt(3));
    expect(new Set(values).size).toBe(values.length);
  });

  it('freezes everything but adapters and modules to save, and counts them', () => {
    const net = new Net();
    const { total, trainable, percent, groups } = applyLora(net, spec, Rng.seeded(2));
    const free = [...net.namedParameters()].filter(([, parameter]) => parameter.trainable).map(([path]) => path);
    expect(free.every((path) => path.includes('lora_') || path.startsWith('norm.'))).toBe(true);
    // fc1: 2 (3 + 5), fc2: 2 (5 + 3), out: 2 (3 + 3), head: 2 (3 + 2), norm: 6; base: 2 (20 + 15) + 12 + 8 + 6.
    expect([trainable, total]).toEqual([92, 92 + 90]);
    expect(percent).toBeCloseTo((100 * 92) / 182, 6);
    expect(groups['encoder.layers']).toEqual({ total: 134, trainable: 64, percent: (100 * 64) / 134 });
    expect(groups['norm']?.percent).toBe(100);
  });

  it('gives single layers their own rank and alpha; the first pattern that fits holds', () => {
    const net = new Net();
    const rankPattern = { 'encoder.layers.0.*': 4, 'encoder.**': 1 };
    applyLora(net, { ...spec, rankPattern, alphaPattern: { head: 9 } }, Rng.seeded(2));
    const at = (layer: Linear | undefined) => [(layer as LoraLinear).rank, (layer as LoraLinear).alpha];
    expect(at(net.layers[0]?.fc1)).toEqual([4, 3]);
    expect(at(net.layers[1]?.fc1)).toEqual([1, 3]);
    expect(at(net.head)).toEqual([2, 9]);
  });

  it.each<[string, Partial<LoraSpec>, string]>([
    [
      'patterns that match nothing',
      { targetModules: ['encoder.layer.*.fc1', 'zzz.zzz.zzz.zzzzzzz'] },
      'encoder.layer.*.fc1 fits nothing, did you mean encoder.layers.*.fc1?; zzz',
    ],
    [
      'targets that are not linear layers',
      { targetModules: ['norm', 'encoder.layers.*'] },
      'norm is not a linear layer; encoder.layers.0 is not a linear layer',
    ],
    ['missing modules to save', { modulesToSave: ['nrm'] }, 'lora.modulesToSave: nrm fits nothing, did you mean norm?'],
    ['targets inside modules to save', { modulesToSave: ['encoder.layers.0'] }, 'encoder.layers.0.fc1 is trained whole'],
    ['ranks of modules that are not targets', { rankPattern: { norm: 3 } }, 'lora.rankPattern: norm fits nothing'],
  ])('refuses %s', (_name, change, message) => {
    const net = new Net();
    expect(() => applyLora(net, { ...spec, ...change }, Rng.seeded(2))).toThrow(message);
    expect(net.head).not.toBeInstanceOf(LoraLinear);
  });

  it('refuses a second adapter', () => {
    const net = adapted();
    expectError(() => applyLora(net, spec, Rng.seeded(2)), {
      code: 'E_CONFIG_PATTERN',
      where: 'lora.targetModules',
      what: 'has an adapter already',
    });
  });
});

describe('training adapters', () => {
  it('gives A and B the gradients of the merged matrix, and frozen parameters none', async () => {
    const net = adapted();
    const tape = new CheckpointedTape(Rng.seeded(3));
    const z = net.forward(x(), tape);
    const { gradients } = tape.backward([[z, tf.ones(z.shape)]]);
    const trainable = net.trainableParameters();
    expect(new Set(gradients.keys())).toEqual(new Set(trainable));
    expect(trainable.length).toBe(2 * 6 + 2);
    for (const gradient of gradients.values())
      expect(relativeError(await gradient.data(), new Float32Array(gradient.size))).toBeGreaterThan(1);

    // dL/dA = s Bᵀ dL/dW and dL/dB = s dL/dW Aᵀ, with dL/dW from a merged copy whose weights are free.
    const merged = adapted();
    mergeLora(merged);
    merged.setTrainable(true);
    const whole = new CheckpointedTape(Rng.seeded(3));
    const same = merged.forward(x(), whole);
    const free = whole.backward([[same, tf.ones(same.shape)]]).gradients;
    for (const pick of [(n: Net) => n.head, (n: Net) => n.layers[0]?.fc1 as Linear, (n: Net) => n.ends.out]) {
      const { loraA, loraB, rank, alpha } = pick(net) as LoraLinear;
      const dW = free.get(pick(merged).weight) as tf.Tensor2D;
      const dA = tf.mul(tf.matMul(loraB.value as tf.Tensor2D, dW, true), alpha / rank);
      const dB = tf.mul(tf.matMul(dW, loraA.value as tf.Tensor2D, false, true), alpha / rank);
      await expectClose(gradients.get(loraA) as tf.Tensor, dA, 1e-5);
      await expectClose(gradients.get(loraB) as tf.Tensor, dB, 1e-5);
    }
  });
});

describe('dropout of adapters', () => {
  const dropped = () => {
    const net = new Net();
    applyLora(net, { ...spec, dropout: 0.5, dropoutPattern: { head: 0 } }, Rng.seeded(2));
    for (const { module } of adaptersIn(net)) {
      const { shape } = module.loraB;
      tf.tidy(() => module.loraB.assign(normalTensor(shape, shape[0] as number, 0.3)));
    }
    return net;
  };
  const answer = async (net: Net, context: ForwardContext) => [...(await net.forward(x(), context).data())];

  it('drops in training alone, the same for the same draws', async () => {
    const net = dropped();
    const trained = await answer(net, new CheckpointedTape(Rng.seeded(3)));
    expect(await answer(net, new CheckpointedTape(Rng.seeded(3)))).toEqual(trained);
    expect(await answer(net, new CheckpointedTape(Rng.seeded(4)))).not.toEqual(trained);
    const plain = await answer(net, inference);
    expect(plain).not.toEqual(trained);
    expect(await answer(net, inference)).toEqual(plain);
    expect(adaptersIn(net).map(({ module }) => module.dropout)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0]);
  });

  it('gives the gradient of the very draws of the forward pass', async () => {
    const net = dropped();
    const total = async () => {
      const tape = new CheckpointedTape(Rng.seeded(5));
      const sum = (await answer(net, tape)).reduce((a, b) => a + b, 0);
      tape.dispose();
      return sum;
    };
    const tape = new CheckpointedTape(Rng.seeded(5));
    const z = net.forward(x(), tape);
    const { gradients } = tape.backward([[z, tf.ones(z.shape)]]);
    expect(adaptersIn(net)).toHaveLength(6);
    for (const { module } of adaptersIn(net)) {
      for (const parameter of [module.loraA, module.loraB]) {
        const gradient = await (gradients.get(parameter) as tf.Tensor).data<'float32'>();
        const values = Float32Array.from(await parameter.value.data<'float32'>());
        const step = gradient.map((value) => Math.sign(value) * 1e-2);
        const move = (sign: number) =>
          tf.tidy(() => {
            const moved = values.map((value, i) => value + sign * (step[i] as number));
            parameter.assign(tf.tensor(moved, [...parameter.shape]));
          });
        move(1);
        const up = await total();
        move(-1);
        const down = await total();
        move(0);
        const expected = 2 * gradient.reduce((sum, value, i) => sum + value * (step[i] as number), 0);
        expect(Math.abs(up - down - expected)).toBeLessThan(2e-2 * Math.abs(expected) + 1e-4);
      }
    }
  });

  it('refuses a pattern that names no adapter', () => {
    expectError(() => applyLora(new Net(), { ...spec, dropoutPattern: { norm: 0.5 } }, Rng.seeded(2)), {
      code: 'E_CONFIG_PATTERN',
      where: 'lora.dropoutPattern',
      what: 'norm fits nothing',
    });
  });
});

describe('mergeLora, setAdapterScale, removeLora', () => {
  it('merges without changing the outputs, and frees the adapters', async () => {
    const net = adapted();
    const before = net.forward(x(), inference);
    expect(await leakOf(() => mergeLora(net))).toBe(-2 * 6);
    await expectClose(net.forward(x(), inference), before, 1e-5);
    expect([...net.namedParameters()].filter(([path]) => path.includes('lora'))).toEqual([]);
    expect(net.heads[1]).toBe(net.head);
  });

  it('merges what the scale leaves of the update', async () => {
    const [plain, net, other] = [new Net(), adapted(), adapted()];
    setAdapterScale(net, 0.5);
    const half = net.forward(x(), inference);
    mergeLora(net);
    await expectClose(net.forward(x(), inference), half, 1e-5);
    setAdapterScale(other, 0);
    const bare = plain.forward(x(), inference);
    await expectClose(other.forward(x(), inference), bare, 1e-7);
    expect(relativeError(await half.data(), await bare.data())).toBeGreaterThan(1e-2);
    setAdapterScale(other, 1);
    removeLora(other);
    await expectClose(other.forward(x(), inference), bare, 1e-7);
  });
});

describe('loraPresets', () => {
  /** Grounding DINO tiny, of which only shapes are needed. */
  const tiny = () => new GroundingDino(parseGroundingDinoConfig({}));

  it('paper trains 1.7 % of Grounding DINO tiny', () => {
    const { trainable, percent } = applyLora(tiny(), loraPresets['paper'] as LoraSpec, Rng.seeded(1));
    expect(trainable).toBe(2_906_372);
    expect(percent).toBeGreaterThan(1.65);
    expect(percent).toBeLessThan(1.75);
  });

  it('paper-code trains as many parameters as the published code', () => {
    const { trainable } = applyLora(tiny(), loraPresets['paper-code'] as LoraSpec, Rng.seeded(1));
    expect(trainable).toBe(2_991_108);
  });
});
