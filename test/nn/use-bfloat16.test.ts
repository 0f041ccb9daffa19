import { expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { applyLora, mergeLora } from '../../src/lora/index.js';
import { activated, addLinear, Conv2d, InferencePasses, Linear, Module, throughHidden, useBfloat16 } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';
import { normalTensor } from '../support/random.js';

const missing = await nativeOpsMissing();

/** All ways in which a linear layer is used. */
class Net extends Module {
  readonly pointwise = this.child('pointwise', new Conv2d(8, 8, { kernelSize: 1 }));
  readonly patch = this.child('patch', new Conv2d(8, 8, { kernelSize: 3, padding: 1 }));
  readonly bare = this.child('bare', new Linear(8, 8, { bias: false }));
  readonly expand = this.child('expand', new Linear(8, 40));
  readonly contract = this.child('contract', new Linear(40, 8));
  readonly folded = this.child('folded', new Linear(8, 8, { reused: true }));
  readonly shared = this.child('shared', this.bare);

  constructor() {
    super();
    this.initialise(Rng.seeded(1));
  }

  run(x: tf.Tensor4D): { y: tf.Tensor } {
    return tf.tidy(() => {
      const map = this.patch.forward(this.pointwise.forward(x)).reshape([-1, 8]);
      const through = throughHidden(map, { expand: this.expand, activate: 'gelu', contract: this.contract, addTo: map });
      const few = activated(this.expand, 'relu', through.slice([0, 0], [2, 8])); // [2, 40]
      const added = addLinear(through.slice([0, 0], [2, 8]), this.contract, few);
      return { y: this.folded.forward(tf.concat([this.shared.forward(through), added])) };
    });
  }
}

describeNative(missing, 'a model in bfloat16', () => {
  const x = () => normalTensor([1, 12, 12, 8], 3) as tf.Tensor4D;

  it('computes nearly the same by every way to use a layer', async () => {
    const [single, half] = [new Net(), new Net()];
    useBfloat16(half);
    const [a, b] = [single.run(x()).y, half.run(x()).y];
    const difference = tf.norm(tf.sub(a, b)).div(tf.norm(a)).dataSync()[0] as number;
    expect(difference).toBeGreaterThan(1e-4);
    expect(difference).toBeLessThan(0.02);
  });

  it('keeps what is not a product with the input in float32', () => {
    const net = new Net();
    useBfloat16(net);
    const { pointwise, patch, bare, expand, folded } = net;
    expect([bare, expand, folded].map(({ precision }) => precision)).toEqual(['bfloat16', 'bfloat16', 'float32']);
    expect([pointwise, patch].map(({ weight }) => weight.packed !== undefined)).toEqual([true, false]);
    expect(expand.bias?.packed).toBeUndefined();
  });

  it('gives the same bits as a graph', async () => {
    const net = new Net();
    useBfloat16(net);
    const passes = new InferencePasses(net);
    const given = { x: x() };
    const first = await net.run(given.x).y.data();
    for (let i = 0; i < 5; i++) {
      expect(await passes.run('net', given, (own) => net.run(own.x)).y.data()).toEqual(first);
      await passes.settle();
    }
    passes.dispose();
  });

  it('frees what it rounded, and what it has then when it is disposed', async () => {
    const leak = await leakOf(() => {
      const layer = new Linear(256, 128);
      const before = tf.memory().numBytes;
      layer.initialise(Rng.seeded(1));
      useBfloat16(layer);
      useBfloat16(layer); // changes nothing
      expect(tf.memory().numBytes - before).toBe(256 * 128 * 2 + 128 * 4);
      layer.dispose();
    });
    expect(leak).toBe(0);
  });

  it('says why its weights can neither be read nor replaced', () => {
    const net = new Net();
    useBfloat16(net);
    expect(() => net.expand.weight.value).toThrow(/packed in bfloat16.*float32/);
    expect(() => net.expand.weight.assign(tf.zeros([40, 8]))).toThrow(/packed in bfloat16/);
    expect(net.built).toBe(true);
  });

  it('has an adapter in its rounded weights once that is merged, and keeps one that is not in float32', async () => {
    const adapted = () => {
      const net = new Net();
      applyLora(net, { rank: 2, alpha: 2, targetModules: ['expand'] }, Rng.seeded(2));
      for (const [path, parameter] of net.namedParameters())
        if (path.includes('lora_B')) parameter.assign(normalTensor([...parameter.shape], 5));
      return net;
    };
    const [single, merged, apart] = [adapted(), adapted(), adapted()];
    mergeLora(merged);
    for (const net of [merged, apart]) useBfloat16(net);
    expect([merged, apart].map((net) => net.expand.precision)).toEqual(['bfloat16', 'float32']);
    const [expected, ...others] = [single, merged, apart].map((net) => net.run(x()).y) as [tf.Tensor, tf.Tensor, tf.Tensor];
    for (const other of others)
      expect(tf.norm(tf.sub(expected, other)).div(tf.norm(expected)).dataSync()[0] as number).toBeLessThan(0.02);
  });
});
