import { type Precision, tf } from '../backend/index.js';
import {
  activation,
  type BlockMode,
  type BlockObserver,
  backThrough,
  computationChanged,
  type DenseWeights,
  dropout,
  type Linear,
  linear,
  type Parameter,
  reluGradient,
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
  /** Dropout rate of the adapter's input in training. Default: 0. */
  readonly dropout?: number;
}

interface Adapted {
  readonly a: tf.Tensor;
  readonly b: tf.Tensor;
  readonly scale: number;
  readonly weight: tf.Tensor;
  readonly bias?: tf.Tensor | undefined;
}

/** W + s B A, [out, in]. */
function together(a: tf.Tensor, b: tf.Tensor, scale: number, weight: tf.Tensor): tf.Tensor {
  return tf.add(weight, tf.matMul(tf.mul(b, scale) as tf.Tensor2D, a as tf.Tensor2D));
}

/**
 * x (W + s B A)ᵀ + b or ReLU of it, with gradients for x, A and B. The update is added to the weight rather than to the output: this
 * saves one product and one sum of the size of the output, at the cost of one of the size of the weight.
 */
function adapted(x: tf.Tensor, { a, b, scale, weight, bias }: Adapted, after: 'none' | 'relu' = 'none'): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [input, low, high, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    const value = linear(input, together(low, high, scale, weight), bias, after);
    save(after === 'relu' ? [input, low, high, value] : [input, low, high]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x, a, b, y] = saved as [tf.Tensor, tf.Tensor2D, tf.Tensor2D, tf.Tensor | undefined];
      const dSum = y === undefined ? dy : reluGradient(y, dy);
      const rows = x.reshape([-1, a.shape[1]]) as tf.Tensor2D; // [N, in]
      const dRows = dSum.reshape([-1, b.shape[0]]) as tf.Tensor2D; // [N, out]
      const dInner = tf.matMul(dRows, tf.mul(b, scale)); // [N, r]
      const inner = tf.mul(tf.matMul(rows, a, false, true), scale) as tf.Tensor2D; // [N, r]
      return [backThrough(dSum, together(a, b, scale, weight)), tf.matMul(dInner, rows, true), tf.matMul(dRows, inner, true)];
    };
    return { value, gradFunc };
  });
  return op(x, a, b);
}

/**
 * A linear layer with a trainable low-rank update: y = x Wᵀ + b + (alpha / r) x Aᵀ Bᵀ. Replaces the layer that it wraps, whose
 * weight and bias keep their paths; A and B are `lora_A.weight` [r, in] and `lora_B.weight` [out, r].
 *
 * @see Hu et al. 2021, LoRA, section 4.1
 */
export class LoraLinear
  extends TensorLayer
  implements
    BlockObserver,
    Pick<Linear, 'inFeatures' | 'outFeatures' | 'weight' | 'bias' | 'plain' | 'dense' | 'precision' | 'forward' | 'forwardRelu'>
{
  readonly base: Linear;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly loraA: Parameter;
  readonly loraB: Parameter;
  private factor = 1;
  /** The current block of a training step, if any. */
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

  /** Adapters are merged before weights are rounded. */
  get precision(): Precision {
    return 'float32';
  }

  /** Factor on the update: 0 disables the adapter, 1 is as trained. */
  get strength(): number {
    return this.factor;
  }

  set strength(strength: number) {
    if (strength === this.factor) return;
    this.factor = strength;
    computationChanged();
  }

  private get scale(): number {
    return (this.factor * this.alpha) / this.rank;
  }

  /** Initialises A; B starts at zero, so that the layer initially equals the wrapped one. */
  start(rng: Rng): void {
    this.loraA.initialise(rng);
    this.loraB.initialise(rng);
  }

  /**
   * Inside a block, dropout applies to the adapter's input, drawn from the block's generator, so that recomputing the block
   * repeats it.
   */
  enterBlock(mode: BlockMode | undefined): void {
    this.block = mode;
  }

  /** The wrapped layer if the update has no effect, so that the model then computes exactly as without the adapter. */
  get plain(): Linear | undefined {
    return this.scale === 0 ? this.base : undefined;
  }

  /**
   * @param x - [..., in] f32.
   * @returns [..., out] f32.
   */
  forward(x: tf.Tensor): tf.Tensor {
    if (this.scale === 0) return this.base.forward(x);
    if (!this.drops) return adapted(x, this.parts);
    const inner = linear(dropout(x, this.dropout, this.block as BlockMode), this.loraA.value); // [..., r]
    return tf.add(this.base.forward(x), linear(tf.mul(inner, this.scale), this.loraB.value));
  }

  /** ReLU of {@link forward}. */
  forwardRelu(x: tf.Tensor): tf.Tensor {
    if (this.scale === 0) return this.base.forwardRelu(x);
    return this.drops ? activation('relu')(this.forward(x)) : adapted(x, this.parts, 'relu');
  }

  /** The layer's weight with the update added; undefined if inputs are dropped or there is no bias. */
  dense(): DenseWeights | undefined {
    if (this.scale === 0) return this.base.dense();
    if (this.drops || this.bias === undefined) return undefined;
    const { a, b, scale, weight } = this.parts;
    return { weight: together(a, b, scale, weight), bias: this.bias.value };
  }

  private get parts(): Adapted {
    return { a: this.loraA.value, b: this.loraB.value, scale: this.scale, weight: this.weight.value, bias: this.bias?.value };
  }

  /** Whether inputs of the update are dropped at random. */
  private get drops(): boolean {
    return this.block !== undefined && this.dropout > 0;
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

  /** Frees A and B and returns the wrapped layer unchanged. */
  discard(): Linear {
    this.loraA.dispose();
    this.loraB.dispose();
    return this.base;
  }
}
