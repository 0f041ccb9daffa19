import { tf } from '../../backend/index.js';
import { activated, constant, Linear, Module, type Parameter, TensorLayer, xavierUniform, zeros } from '../../nn/index.js';

/** An MLP with ReLU: predicts boxes, and the position encoding of reference boxes. */
export class MlpPredictionHead extends TensorLayer {
  private readonly layers: Linear[];

  /** The last layer is initialised to zero, so that boxes start at their references. */
  constructor(inFeatures: number, hidden: number, outFeatures: number, count: number) {
    super();
    const widths = [inFeatures, ...Array<number>(count - 1).fill(hidden), outFeatures];
    const layers = widths.slice(1).map((width, i) => {
      const weightInit = i === count - 1 && outFeatures === 4 ? zeros : xavierUniform;
      return new Linear(widths[i] as number, width, { weightInit });
    });
    this.layers = this.childList('layers', layers);
  }

  /**
   * @param x - [..., in] f32.
   * @returns [..., out] f32.
   */
  forward(x: tf.Tensor): tf.Tensor {
    const last = this.layers.length - 1;
    return this.layers.reduce((y, layer, i) => (i < last ? activated(layer, 'relu', y) : layer.forward(y)), x);
  }
}

/** Similarity of each query and token: their dot product, in MM Grounding DINO scaled and with a learned bias. */
export class ContrastiveEmbedding extends Module {
  private readonly bias: Parameter | undefined;

  constructor({ scaledLogits }: { readonly scaledLogits: boolean }) {
    super();
    this.bias = scaledLogits ? this.parameter('bias', [], { init: constant(-Math.log((1 - 0.01) / 0.01)) }) : undefined;
  }

  /**
   * @param queries - [B, Q, d] f32.
   * @param text - [B, T, d] f32.
   * @returns [B, Q, T] f32, unmasked.
   */
  forward(queries: tf.Tensor3D, text: tf.Tensor3D): tf.Tensor3D {
    const product = tf.matMul(queries, text, false, true) as tf.Tensor3D;
    if (this.bias === undefined) return product;
    return tf.add(tf.div(product, Math.sqrt(queries.shape[2])), this.bias.value);
  }
}

/**
 * log(x / (1 - x)) with x clipped to [1e-5, 1 - 1e-5], like torch's `logit` with that epsilon.
 *
 * @param x - [...] f32 in [0, 1].
 */
export function boxLogit<T extends tf.Tensor>(x: T): T {
  const clipped = tf.clipByValue(x, 1e-5, 1 - 1e-5);
  return tf.log(tf.div(clipped, tf.sub(1, clipped)));
}
