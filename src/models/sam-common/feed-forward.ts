import type { tf } from '../../backend/index.js';
import { activated, Linear, TensorLayer } from '../../nn/index.js';

/** An MLP with ReLU: an input layer, `depth` - 2 hidden ones, an output layer. */
export class FeedForward extends TensorLayer {
  private readonly projIn: Linear;
  private readonly layers: Linear[];
  private readonly projOut: Linear;

  constructor(features: number, hidden: number, out: number, depth: number) {
    super();
    this.projIn = this.child('proj_in', new Linear(features, hidden));
    this.layers = this.childList(
      'layers',
      Array.from({ length: Math.max(0, depth - 2) }, () => new Linear(hidden, hidden)),
    );
    this.projOut = this.child('proj_out', new Linear(hidden, out));
  }

  /** Maps [..., features] to [..., out]. */
  forward(x: tf.Tensor): tf.Tensor {
    const hidden = this.layers.reduce((h, layer) => activated(layer, 'relu', h), activated(this.projIn, 'relu', x));
    return this.projOut.forward(hidden);
  }
}
