import { beforeAll, describe, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { applyLora } from '../../src/lora/index.js';
import { FusionLayer } from '../../src/models/grounding-dino/fusion-layer.js';
import { parseGroundingDinoConfig } from '../../src/models/grounding-dino/index.js';
import { Draws, Module, PassSeed } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { expectClose } from '../support/compare.js';
import { normalTensor } from '../support/random.js';

const MODE = { training: false, draws: new Draws(new PassSeed(0)) };

beforeAll(async () => {
  await initBackend((process.env['SONOGROUND_BACKEND'] as 'auto' | undefined) ?? 'auto');
});

class Holder extends Module {
  readonly layer: FusionLayer;

  constructor() {
    super();
    const config = { d_model: 32, encoder_ffn_dim: 256 };
    this.layer = this.child('fusion', new FusionLayer(parseGroundingDinoConfig(config)));
  }
}

describe('the fusion of image and text', () => {
  // An adapter that has learned nothing changes no value, but the projections that it wraps cannot be folded.
  it.each([undefined, -100])('does not depend on the order of products, with padding %p', async (padded) => {
    const holder = new Holder();
    holder.initialise(Rng.seeded(4));
    holder.layer.setTrainable(true);
    for (const [path, parameter] of holder.namedParameters()) if (/param$|bias$/.test(path)) parameter.assign(normalTensor([...parameter.shape], path.length)); // biome-ignore format: short
    const inputs = {
      vision: normalTensor([2, 37, 32], 1),
      text: normalTensor([2, 5, 32], 2),
      textBias: tf.tensor([0, 0, 0, 0, 0, 0, 0, 0, -1e4, -1e4], [2, 1, 1, 5]),
      visionBias: padded === undefined ? undefined : tf.concat([tf.zeros([2, 1, 1, 30]), tf.fill([2, 1, 1, 7], padded)], 3),
    };
    const run = () => {
      const { value, grads } = tf.engine().gradients(
        () => {
          const { vision, text } = holder.layer.forward(inputs, MODE);
          return tf.add(tf.sum(tf.mul(vision, tf.cos(vision))), tf.sum(tf.mul(text, tf.cos(text)))) as tf.Scalar;
        },
        [inputs.vision, inputs.text],
        undefined,
        true,
      );
      return [value, ...grads, ...Object.values(holder.layer.forward(inputs, MODE))] as tf.Tensor[];
    };
    const folded = run();
    const targetModules = ['fusion.attn.{vision_proj,values_vision_proj,out_vision_proj}'];
    applyLora(holder, { rank: 2, alpha: 2, targetModules }, Rng.seeded(1));
    holder.setTrainable(true);
    const wide = run();
    for (const [i, tensor] of folded.entries()) await expectClose(tensor, wide[i] as tf.Tensor, 2e-5);
  });
});
