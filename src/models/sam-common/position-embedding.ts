import { tf } from '../../backend/index.js';
import { normal, type Parameter, TensorLayer } from '../../nn/index.js';

/**
 * Random Fourier features of positions: sines and cosines of projections onto random directions, which are part of the checkpoint
 * but not trained.
 *
 * @see Tancik et al. 2020
 */
export class PositionEmbedding extends TensorLayer {
  private readonly directions: Parameter;

  /**
   * @param directions - their number; an embedding has a sine and a cosine for each.
   * @param scale - standard deviation of their initial values.
   */
  constructor(directions: number, scale: number) {
    super();
    this.directions = this.parameter('positional_embedding', [2, directions], { init: normal(scale) });
    this.directions.trainable = false;
  }

  /** A buffer in checkpoints: never trained. */
  override setTrainable(): void {}

  /**
   * @param xy - [..., 2] f32, fractions of the image in [0, 1].
   * @returns [..., 2 * directions] f32.
   */
  forward(xy: tf.Tensor): tf.Tensor {
    const lead = xy.shape.slice(0, -1);
    const centred = tf.sub(tf.mul(xy, 2), 1).reshape([-1, 2]) as tf.Tensor2D;
    const angles = tf.mul(tf.matMul(centred, this.directions.value as unknown as tf.Tensor2D), 2 * Math.PI);
    return tf.concat([tf.sin(angles), tf.cos(angles)], -1).reshape([...lead, -1]);
  }

  /** Embeddings of the cell centres of a map, [height * width, 2 * directions]. */
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
