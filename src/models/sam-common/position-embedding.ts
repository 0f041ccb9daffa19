import { tf } from '../../backend/index.js';
import { normal, type Parameter, TensorLayer } from '../../nn/index.js';

/**
 * Places as random Fourier features: sines and cosines of random directions, which checkpoints keep and training leaves
 * alone.
 *
 * @see Tancik et al. 2020
 */
export class PositionEmbedding extends TensorLayer {
  private readonly directions: Parameter;

  /**
   * @param directions - how many; an embedding has a sine and a cosine for each.
   * @param scale - their spread in a model that is trained from nothing.
   */
  constructor(directions: number, scale: number) {
    super();
    this.directions = this.parameter('positional_embedding', [2, directions], { init: normal(scale) });
    this.directions.trainable = false;
  }

  /** Checkpoints hold these numbers as a buffer: nothing trains them. */
  override setTrainable(): void {}

  /**
   * @param xy - [..., 2] f32, shares of the image in [0, 1].
   * @returns [..., 2 * directions] f32.
   */
  forward(xy: tf.Tensor): tf.Tensor {
    const lead = xy.shape.slice(0, -1);
    const centred = tf.sub(tf.mul(xy, 2), 1).reshape([-1, 2]) as tf.Tensor2D;
    const angles = tf.mul(tf.matMul(centred, this.directions.value as unknown as tf.Tensor2D), 2 * Math.PI);
    return tf.concat([tf.sin(angles), tf.cos(angles)], -1).reshape([...lead, -1]);
  }

  /** The embedding of each cell's middle in a map, [height * width, 2 * directions]. */
  grid(height: number, width: number): tf.Tensor2D {
    return tf.tidy(() => {
      const places = Array.from({ length: height * width }, (_, i) => [
        ((i % width) + 0.5) / width,
        (Math.floor(i / width) + 0.5) / height,
      ]);
      return this.forward(tf.tensor2d(places)) as tf.Tensor2D;
    });
  }
}
