import { hasNativeLinear, isTapeOn, nativeLinear, type Precision, tf } from '../backend/index.js';
import { assertShape } from '../util/index.js';
import { type ActivationName, activation, reluGradient } from './activation.js';
import { type Initialiser, uniform, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

export interface LinearOptions {
  /** Default: true. */
  readonly bias?: boolean;
  /** Default: uniform in ±1 / sqrt(fan in), as in torch. */
  readonly weightInit?: Initialiser;
  /** Default: zeros. */
  readonly biasInit?: Initialiser;
  /** Whether the weight enters other products than that with the input, and has to stay float32. Default: false. */
  readonly reused?: boolean;
}

/** Weight [out, in], or packed in bfloat16, and bias [out] of a linear layer. */
export interface DenseWeights {
  readonly weight: tf.Tensor;
  readonly bias: tf.Tensor;
}

/** Affine map of the last axis: y = x Wᵀ + b, with W as [out, in]. */
export class Linear extends TensorLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  /** See {@link LinearOptions}. */
  readonly reused?: boolean;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    const { bias = true, weightInit, biasInit = zeros, reused = false } = options;
    this.reused = reused;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = this.parameter('weight', [outFeatures, inFeatures], { init: weightInit ?? uniform(1 / Math.sqrt(inFeatures)) });
    this.bias = bias ? this.parameter('bias', [outFeatures], { init: biasInit }) : undefined;
  }

  /** The layer, if its weight and bias describe it completely; undefined for a layer that does more, such as an adapter. */
  get plain(): Linear | undefined {
    return this;
  }

  /** What a fused operation needs of it, to be made in a `tf.tidy`; undefined for a layer that does more. */
  dense(): DenseWeights | undefined {
    return this.bias && { weight: this.weight.stored, bias: this.bias.value };
  }

  /** Of the weight and of the product with it. */
  get precision(): Precision {
    return this.weight.packed === undefined ? 'float32' : 'bfloat16';
  }

  /**
   * @param x - [..., in] f32.
   * @returns [..., out] f32.
   */
  forward(x: tf.Tensor): tf.Tensor {
    const [weight, bias] = [this.weight, this.bias];
    if (weight.packed !== undefined) return packedLinear(x, weight.packed, this.weight.shape, bias?.value);
    return isFrozen(this) ? frozenLinear(x, weight.value, bias?.value) : linear(x, weight.value, bias?.value);
  }

  /** ReLU of {@link forward}. If only the input needs a gradient, the tape keeps nothing but the result. */
  forwardRelu(x: tf.Tensor): tf.Tensor {
    const { weight, bias } = this;
    if (weight.packed !== undefined) return activation('relu')(this.forward(x));
    if (!isFrozen(this)) return linear(x, weight.value, bias?.value, 'relu');
    return frozenLinear(x, weight.value, bias?.value, 'relu');
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape.slice(0, -1), this.outFeatures];
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), inFeatures: this.inFeatures, outFeatures: this.outFeatures, bias: this.bias !== undefined };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { inFeatures, outFeatures, bias } = config as unknown as { inFeatures: number; outFeatures: number; bias: boolean };
    return Module.restored(new Linear(inFeatures, outFeatures, { bias }), config);
  }
}

/**
 * A linear layer with an activation. If no gradient is recorded, both are fused into one operation, so that the layer's own
 * output is never stored. An adapter that drops inputs runs unfused.
 *
 * @param x - [..., in] f32.
 * @returns [..., out] f32.
 */
export function activated(layer: Linear, name: ActivationName, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const dense = mayFuse() ? layer.dense() : undefined;
    if (dense !== undefined) return inRows(x, layer.weight.shape, (rows) => nativeLinear({ x: rows, ...dense }, name));
    return name === 'relu' ? layer.forwardRelu(x) : activation(name)(layer.forward(x));
  });
}

/**
 * A linear layer with a residual connection. If no gradient is recorded, both are fused into one operation. An adapter that drops
 * inputs runs unfused.
 *
 * @param to - [..., out] f32.
 * @param x - [..., in] f32.
 * @returns to + layer(x), [..., out] f32.
 */
export function addLinear<T extends tf.Tensor>(to: T, layer: Linear, x: tf.Tensor): T {
  return tf.tidy(() => {
    const dense = mayFuse() ? layer.dense() : undefined;
    if (dense === undefined) return tf.add(to, layer.forward(x));
    const added = to.reshape([-1, layer.outFeatures]);
    return inRows(x, layer.weight.shape, (rows) => nativeLinear({ x: rows, ...dense, added })) as T;
  });
}

function isFrozen({ weight, bias }: Linear): boolean {
  return !weight.trainable && !bias?.trainable;
}

/** Whether linear maps may use the fused operation, which has no gradient: it must be available, and no tape active. */
function mayFuse(): boolean {
  return hasNativeLinear() && !isTapeOn();
}

/** {@link linear} for weights that need no gradient: the tape only keeps the result. */
function frozenLinear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor, after: 'none' | 'relu' = 'none'): tf.Tensor {
  const op = tf.customGrad((input, save) => {
    const value = linear(input as tf.Tensor, weight, bias, after);
    if (after === 'relu') (save as unknown as (tensors: tf.Tensor[]) => void)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) => backThrough(y === undefined ? dy : reluGradient(y, dy), weight);
    return { value, gradFunc };
  });
  return op(x);
}

/** The gradient with respect to the input of a linear map: dy W for dy [..., out], W [out, in]. */
export function backThrough(dy: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const [outFeatures = 0, inFeatures = 0] = weight.shape;
  return tf.tidy(() => {
    const rows = dy.reshape([-1, outFeatures]) as tf.Tensor2D;
    const product = mayFuse()
      ? nativeLinear({ x: rows, weight: tf.transpose(weight), bias: tf.zeros([inFeatures]) })
      : tf.matMul(rows, weight as tf.Tensor2D);
    return product.reshape([...dy.shape.slice(0, -1), inFeatures]);
  });
}

/** y = x Wᵀ + b for x [..., in], W [out, in], b [out], or ReLU of it. */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor, after: 'none' | 'relu' = 'none'): tf.Tensor {
  return inRows(x, weight.shape, (rows) => {
    if (bias !== undefined && hasNativeLinear()) return fusedLinear(rows, weight, bias, after);
    const product = tf.matMul(rows, weight as tf.Tensor2D, false, true);
    const sum = bias === undefined ? product : tf.add(product, bias);
    return after === 'relu' ? activation('relu')(sum) : sum;
  });
}

/** The fused operation, with gradients of all inputs under a tape, for x [rows, in], W [out, in], b [out]. */
function fusedLinear(x: tf.Tensor2D, weight: tf.Tensor, bias: tf.Tensor, after: 'none' | 'relu'): tf.Tensor {
  if (!isTapeOn()) return nativeLinear({ x, weight, bias }, after);
  const op = tf.customGrad((...given) => {
    const save = given.pop() as unknown as (tensors: tf.Tensor[]) => void;
    const [rows, map, shift] = given as [tf.Tensor, tf.Tensor, tf.Tensor];
    const value = nativeLinear({ x: rows, weight: map, bias: shift }, after);
    save(after === 'relu' ? [rows, map, value] : [rows, map]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [input, kept, y] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor?];
      const dSum = (y === undefined ? dy : reluGradient(y, dy)) as tf.Tensor2D;
      return [tf.matMul(dSum, kept), tf.matMul(dSum, input, true), tf.sum(dSum, 0)];
    };
    return { value, gradFunc };
  });
  return op(x, weight, bias);
}

/** y = x Wᵀ + b for x [..., in], b [out] and W of a shape [out, in] packed in bfloat16. Not differentiable. */
export function packedLinear(x: tf.Tensor, weight: tf.Tensor, shape: readonly number[], bias?: tf.Tensor): tf.Tensor {
  return inRows(x, shape, (rows) => nativeLinear({ x: rows, weight, bias: bias ?? tf.zeros([shape[0] ?? 0]) }));
}

/** Flattens to a matrix and back: the gradient of broadcast products is wrong in tfjs. */
function inRows(
  x: tf.Tensor,
  [outFeatures = 0, inFeatures = 0]: readonly number[],
  product: (rows: tf.Tensor2D) => tf.Tensor,
): tf.Tensor {
  const lead = x.shape.slice(0, -1);
  assertShape(x, [...lead, inFeatures], 'linear');
  return tf.tidy(() => product(x.reshape([-1, inFeatures]) as tf.Tensor2D).reshape([...lead, outFeatures]));
}
