import { tf } from '../../backend/index.js';
import { Linear, Module } from '../../nn/index.js';
import { attend } from '../../ops/index.js';
import type { SamusVisionConfig } from './config.js';

/** Attention of the patches to the map of the CNN branch, of the same size, without relative positions. */
export class CrossBranchAttention extends Module {
  private readonly query: Linear;
  private readonly key: Linear;
  private readonly value: Linear;
  private readonly proj: Linear;
  private readonly heads: number;

  constructor({ hiddenSize: c, numAttentionHeads, qkvBias: bias }: SamusVisionConfig) {
    super();
    this.heads = numAttentionHeads;
    this.query = this.child('q', new Linear(c, c, { bias }));
    this.key = this.child('k', new Linear(c, c, { bias }));
    this.value = this.child('v', new Linear(c, c, { bias }));
    this.proj = this.child('proj', new Linear(c, c));
  }

  /**
   * @param x - [B, h, w, C] f32: the patches.
   * @param cnn - [B, h, w, C] f32: the branch.
   * @returns the same shape.
   */
  forward(x: tf.Tensor4D, cnn: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const tokens = (map: tf.Tensor) => tf.reshape(map, [b, h * w, c]);
    const attended = attend({
      query: tokens(this.query.forward(x)),
      key: tokens(this.key.forward(cnn)),
      value: tokens(this.value.forward(cnn)),
      heads: this.heads,
    }); // [B, hw, C]
    return tf.reshape(this.proj.forward(attended), [b, h, w, c]);
  }
}
