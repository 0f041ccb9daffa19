import { hasNativeLayerNorm, nativeLayerNorm, nativeLayerNormGradients, tf } from '../backend/index.js';
import { ones, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/**
 * Normalises the last axis to mean 0 and (population) variance 1, then scales and shifts. On NHWC maps it is equivalent to a
 * channel-wise LayerNorm2d on NCHW maps in torch.
 */
export class LayerNorm extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly eps: number;

  /** @param eps - added to the variance. Default: 1e-5, torch's. */
  constructor(features: number, eps = 1e-5) {
    super();
    this.eps = eps;
    this.weight = this.parameter('weight', [features], { init: ones });
    this.bias = this.parameter('bias', [features], { init: zeros });
  }

  /**
   * @param x - [..., features] f32.
   * @returns the same shape.
   */
  forward<T extends tf.Tensor>(x: T): T {
    const normalise = hasNativeLayerNorm() ? layerNormByOperation : portableLayerNorm;
    return normalise(x, this.weight.value, this.bias.value, this.eps);
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), features: this.weight.shape[0] ?? 0, eps: this.eps };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { features, eps } = config as unknown as { features: number; eps: number };
    return Module.restored(new LayerNorm(features, eps), config);
  }
}

/** {@link portableLayerNorm} as a single custom TensorFlow operation: reads the input twice and writes only the result. */
export function layerNormByOperation<T extends tf.Tensor>(x: T, weight: tf.Tensor, bias: tf.Tensor, eps: number): T {
  const op = tf.customGrad((...args) => {
    const [input, scale, shift, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    save([input, scale]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [original, w] = saved as [tf.Tensor, tf.Tensor];
      return nativeLayerNormGradients(original, w, dy, eps);
    };
    return { value: nativeLayerNorm(input, scale, shift, eps), gradFunc };
  });
  return op(x, weight, bias) as T;
}

/** (x - mean) / sqrt(variance + eps) * weight + bias over the last axis, with a custom gradient that needs a third of the ops. */
export function portableLayerNorm<T extends tf.Tensor>(x: T, weight: tf.Tensor, bias: tf.Tensor, eps: number): T {
  const normalise = (input: tf.Tensor) => {
    const centred = tf.sub(input, tf.mean(input, -1, true));
    const inverseStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps));
    return { normal: tf.mul(centred, inverseStd), inverseStd };
  };
  const op = tf.customGrad((...args) => {
    const [input, scale, shift, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    save([input, scale]);
    const value = tf.add(tf.mul(normalise(input).normal, scale), shift);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [original, w] = saved as [tf.Tensor, tf.Tensor];
      const { normal, inverseStd } = normalise(original);
      const dNormal = tf.mul(dy, w);
      const along = tf.mean(tf.mul(dNormal, normal), -1, true);
      const dInput = tf.mul(tf.sub(tf.sub(dNormal, tf.mean(dNormal, -1, true)), tf.mul(normal, along)), inverseStd);
      const rows = (t: tf.Tensor) => t.reshape([-1, w.size]);
      return [dInput, tf.sum(rows(tf.mul(dy, normal)), 0), tf.sum(rows(dy), 0)];
    };
    return { value, gradFunc };
  });
  return tf.tidy(() => op(x, weight, bias) as T);
}
