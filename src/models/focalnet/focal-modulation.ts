import { tf } from '../../backend/index.js';
import { Conv2d, DepthwiseConv2d, gelu, Linear, TensorLayer } from '../../nn/index.js';

/**
 * Modulates each cell by its surroundings, where a transformer would attend to them: context at growing distances is weighted by
 * gates of the cell, summed, and multiplied with its query.
 *
 * @see Yang et al. 2022, Focal Modulation Networks, section 3.2; microsoft/FocalNet
 */
export class FocalModulation extends TensorLayer {
  private readonly project: Linear;
  private readonly contexts: DepthwiseConv2d[];
  private readonly mix: Conv2d;
  private readonly out: Linear;
  private readonly channels: number;

  /** @param window - kernel of the first of the focal levels; each further one is larger by 2. */
  constructor(channels: number, { levels, window }: { readonly levels: number; readonly window: number }) {
    super();
    this.channels = channels;
    this.project = this.child('f', new Linear(channels, 2 * channels + levels + 1));
    this.mix = this.child('h', new Conv2d(channels, channels, { kernelSize: 1 }));
    this.out = this.child('proj', new Linear(channels, channels));
    this.contexts = Array.from({ length: levels }, (_, level) =>
      this.child(`focal_layers.${level}.0`, new DepthwiseConv2d(channels, { kernelSize: window + 2 * level, bias: false })),
    );
  }

  /** [B, H, W, C] to the same shape. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const c = this.channels;
      const levels = this.contexts.length;
      const [query, first, gates] = tf.split(this.project.forward(x), [c, c, levels + 1], -1) as tf.Tensor4D[] as [
        tf.Tensor4D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      const [b, h, w] = gates.shape;
      const gated = (context: tf.Tensor4D, level: number) =>
        tf.mul(context, tf.slice(gates, [0, 0, 0, level], [b, h, w, 1])) as tf.Tensor4D;
      let context = first;
      const parts: tf.Tensor4D[] = [];
      for (const [level, layer] of this.contexts.entries()) {
        context = gelu(layer.forward(context)); // [B, H, W, C]
        parts.push(gated(context, level));
      }
      const whole = gelu(tf.mean(tf.mean(context, 1, true), 2, true)) as tf.Tensor4D; // [B, 1, 1, C]
      parts.push(gated(whole, levels));
      const modulator = tf.div(
        parts.reduce((sum, part) => tf.add(sum, part)),
        levels + 1,
      ) as tf.Tensor4D; // [B, H, W, C]
      return this.out.forward(tf.mul(query, this.mix.forward(modulator))) as tf.Tensor4D; // [B, H, W, C]
    });
  }
}
