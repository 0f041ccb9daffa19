import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, Linear, normal, TensorLayer } from '../../nn/index.js';
import { padToMultiple } from '../../ops/index.js';

/** Merges each 2 x 2 tokens into one with twice the channels; odd sizes are zero-padded. */
export class PatchMerging extends TensorLayer {
  private readonly reduction: Linear;
  private readonly norm: LayerNorm;

  constructor(channels: number, initStd: number) {
    super();
    this.norm = this.child('norm', new LayerNorm(4 * channels));
    this.reduction = this.child(
      'reduction',
      new Linear(4 * channels, 2 * channels, { bias: false, weightInit: normal(initStd) }),
    );
  }

  /**
   * @param x - [B, H, W, C] f32.
   * @returns [B, ceil(H / 2), ceil(W / 2), 2 C] f32.
   */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const { y } = context.block(this, { x }, (inputs) => {
      const even = padToMultiple(inputs.x, 2);
      const [b, h, w, c] = even.shape;
      const cells = tf.reshape(even, [(b * h) / 2, 2, w / 2, 2, c]);
      // Column before row: the checkpoint's channel order is (0, 0), (1, 0), (0, 1), (1, 1) in (row, column).
      const joined = tf.reshape(tf.transpose(cells, [0, 2, 3, 1, 4]), [b, h / 2, w / 2, 4 * c]);
      return { y: this.reduction.forward(this.norm.forward(joined)) as tf.Tensor4D };
    });
    return y;
  }
}
