import { tf } from '../backend/index.js';
import {
  type BlockMode,
  type BlockObserver,
  backThrough,
  dropout,
  type Linear,
  linear,
  type Parameter,
  type Shape,
  TensorLayer,
  uniform,
  zeros,
} from '../nn/index.js';
import type { Rng } from '../util/index.js';

export interface LoraLinearOptions {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  /** Share of the adapter's input that is dropped in training. Default: 0. */
  readonly dropout?: number;
}

/**
 * x (W + s B A)ᵀ + b, with gradients for x, A and B. The update is added to the weight rather than to the result: it costs one
 * product of the size of the weight in the place of one, and a sum, of the size of the result.
 */
function adapted(x: tf.Tensor, a: tf.Tensor, b: tf.Tensor, scale: number, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const together = (low: tf.Tensor, high: tf.Tensor) =>
    tf.add(weight, tf.matMul(tf.mul(high, scale) as tf.Tensor2D, low as tf.Tensor2D)); // [out, in]
  const op = tf.customGrad((...args) => {
    const [input, low, high, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    save([input, low, high]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x, a, b] = saved as [tf.Tensor, tf.Tensor2D, tf.Tensor2D];
      const rows = x.reshape([-1, a.shape[1]]) as tf.Tensor2D; // [N, in]
      const dRows = dy.reshape([-1, b.shape[0]]) as tf.Tensor2D; // [N, out]
      const dInner = tf.matMul(dRows, tf.mul(b, scale)); // [N, r]
      const inner = tf.mul(tf.matMul(rows, a, false, true), scale) as tf.Tensor2D; // [N, r]
      return [backThrough(dy, together(a, b)), tf.matMul(dInner, rows, true), tf.matMul(dRows, inner, true)];
    };
    return { value: linear(input, together(low, high), bias), gradFunc };
  });
  return op(x, a, b);
}

/**
 * A linear layer and a trainable update of low rank: y = x Wᵀ + b + (alpha / r) x Aᵀ Bᵀ. It stands in the place of the layer
 * that it wraps, whose weight and bias keep their paths; A and B are `lora_A.weight` [r, in] and `lora_B.weight` [out, r].
 *
 * @see Hu et al. 2021, LoRA, section 4.1
 */
export class LoraLinear
  extends TensorLayer
  implements BlockObserver, Pick<Linear, 'inFeatures' | 'outFeatures' | 'weight' | 'bias' | 'plain' | 'forward'>
{
  readonly base: Linear;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly loraA: Parameter;
  readonly loraB: Parameter;
  /** Multiplies the update: 0 switches the adapter off, 1 is as trained. */
  strength = 1;
  /** The block of a training step that this layer is part of at the moment. */
  private block: BlockMode | undefined;

  constructor(base: Linear, { rank, alpha, dropout: rate = 0 }: LoraLinearOptions) {
    super();
    this.base = base;
    this.rank = rank;
    this.alpha = alpha;
    this.dropout = rate;
    this.weight = base.weight;
    this.bias = base.bias;
    this.adopt('weight', base.weight);
    if (base.bias !== undefined) this.adopt('bias', base.bias);
    // torch's kaiming_uniform_ with a = sqrt(5) draws within 1 / sqrt(fan in).
    const init = uniform(1 / Math.sqrt(base.inFeatures));
    this.loraA = this.parameter('lora_A.weight', [rank, base.inFeatures], { init, adapter: true });
    this.loraB = this.parameter('lora_B.weight', [base.outFeatures, rank], { init: zeros, adapter: true });
  }

  get inFeatures(): number {
    return this.base.inFeatures;
  }

  get outFeatures(): number {
    return this.base.outFeatures;
  }

  private get scale(): number {
    return (this.strength * this.alpha) / this.rank;
  }

  /** Draws A; B starts at zero, so that the layer begins as the one that it wraps. */
  start(rng: Rng): void {
    this.loraA.initialise(rng);
    this.loraB.initialise(rng);
  }

  /** Between the two calls the adapter's input is dropped out, by draws of the block, so that repeating it repeats them. */
  enterBlock(mode: BlockMode | undefined): void {
    this.block = mode;
  }

  /** The wrapped layer where the update counts for nothing, so that the model then computes just as without it. */
  get plain(): Linear | undefined {
    return this.scale === 0 ? this.base : undefined;
  }

  /**
   * @param x - [..., in] f32.
   * @returns [..., out] f32.
   */
  forward(x: tf.Tensor): tf.Tensor {
    if (this.scale === 0) return this.base.forward(x);
    if (this.block === undefined || this.dropout === 0)
      return adapted(x, this.loraA.value, this.loraB.value, this.scale, this.weight.value, this.bias?.value);
    const inner = linear(dropout(x, this.dropout, this.block), this.loraA.value); // [..., r]
    return tf.add(this.base.forward(x), linear(tf.mul(inner, this.scale), this.loraB.value));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return this.base.computeOutputShape(inputShape);
  }

  /** Adds the update to the wrapped weight, frees A and B, and returns the wrapped layer. */
  merge(): Linear {
    tf.tidy(() => {
      const update = tf.matMul(this.loraB.value as tf.Tensor2D, this.loraA.value as tf.Tensor2D); // [out, in]
      this.weight.assign(tf.add(this.weight.value, tf.mul(update, this.scale)));
    });
    return this.discard();
  }

  /** Frees A and B and returns the wrapped layer as it was. */
  discard(): Linear {
    this.loraA.dispose();
    this.loraB.dispose();
    return this.base;
  }
}
