import { hasNativeLinear, isTapeOn, nativeLinear, tf } from '../backend/index.js';
import { assertShape } from '../util/index.js';
import { type ActivationName, activation } from './activation.js';
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
}

/** Affine map of the last axis: y = x Wᵀ + b, with W as [out, in]. */
export class Linear extends TensorLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, { bias = true, weightInit, biasInit = zeros }: LinearOptions = {}) {
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = this.parameter('weight', [outFeatures, inFeatures], { init: weightInit ?? uniform(1 / Math.sqrt(inFeatures)) });
    this.bias = bias ? this.parameter('bias', [outFeatures], { init: biasInit }) : undefined;
  }

  /** The layer, if its weight and bias describe it completely; undefined for a layer that does more, such as an adapter. */
  get plain(): Linear | undefined {
    return this;
  }

  /**
   * @param x - [..., in] f32.
   * @returns [..., out] f32.
   */
  forward(x: tf.Tensor): tf.Tensor {
    const [weight, bias] = [this.weight, this.bias];
    const frozen = !weight.trainable && !bias?.trainable;
    return frozen ? frozenLinear(x, weight.value, bias?.value) : linear(x, weight.value, bias?.value);
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
 * output is never stored. An active adapter runs unfused.
 *
 * @param x - [..., in] f32.
 * @returns [..., out] f32.
 */
export function activated(layer: Linear, name: ActivationName, x: tf.Tensor): tf.Tensor {
  const { weight, bias } = layer.plain ?? {};
  if (weight === undefined || bias === undefined || !mayFuse()) return activation(name)(layer.forward(x));
  return inRows(x, weight.value, (rows, w) => nativeLinear({ x: rows, weight: w, bias: bias.value }, name));
}

/**
 * A linear layer with a residual connection. If no gradient is recorded, both are fused into one operation. An active adapter
 * runs unfused.
 *
 * @param to - [..., out] f32.
 * @param x - [..., in] f32.
 * @returns to + layer(x), [..., out] f32.
 */
export function addLinear<T extends tf.Tensor>(to: T, layer: Linear, x: tf.Tensor): T {
  const { weight, bias } = layer.plain ?? {};
  if (weight === undefined || bias === undefined || !mayFuse()) return tf.add(to, layer.forward(x));
  const added = () => to.reshape([-1, layer.outFeatures]);
  return inRows(x, weight.value, (rows, w) => nativeLinear({ x: rows, weight: w, bias: bias.value, added: added() })) as T;
}

/** Whether linear maps may use the fused operation, which has no gradient: it must be available, and no tape active. */
function mayFuse(): boolean {
  return hasNativeLinear() && !isTapeOn();
}

/** {@link linear} for weights that need no gradient: the tape only keeps the result. */
function frozenLinear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const op = tf.customGrad((input) => ({
    value: linear(input as tf.Tensor, weight, bias),
    gradFunc: (dy: tf.Tensor) => backThrough(dy, weight),
  }));
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

/** y = x Wᵀ + b for x [..., in], W [out, in], b [out]. */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  return inRows(x, weight, (rows, w) => {
    if (bias !== undefined && mayFuse()) return nativeLinear({ x: rows, weight: w, bias });
    const product = tf.matMul(rows, w as tf.Tensor2D, false, true);
    return bias === undefined ? product : tf.add(product, bias);
  });
}

/** Flattens to a matrix and back: the gradient of broadcast products is wrong in tfjs. */
function inRows(x: tf.Tensor, weight: tf.Tensor, product: (rows: tf.Tensor2D, weight: tf.Tensor) => tf.Tensor): tf.Tensor {
  const [outFeatures = 0, inFeatures = 0] = weight.shape;
  const lead = x.shape.slice(0, -1);
  assertShape(x, [...lead, inFeatures], 'linear');
  return tf.tidy(() => product(x.reshape([-1, inFeatures]) as tf.Tensor2D, weight).reshape([...lead, outFeatures]));
}
