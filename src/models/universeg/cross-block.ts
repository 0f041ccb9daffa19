import { tf } from '../../backend/index.js';
import { Module } from '../../nn/index.js';
import type { BlockWidths } from './config.js';
import { leakyRelu, SameConv2d } from './same-conv2d.js';

/** Channels of a block's inputs. */
export interface BlockInputs {
  readonly target: number;
  readonly support: number;
}

/**
 * Lets a target and its supports interact: a convolution over the channels of the target and of one support, for each support.
 * The new support maps follow from these interactions, the new target map from their mean.
 *
 * The convolution is linear in both, so that it is the sum of one over the target, computed once, and one over each support.
 *
 * @see Butoi, Gonzalez Ortiz et al. 2023, UniverSeg, section 3.2
 */
export class CrossBlock extends Module {
  private readonly inputs: BlockInputs;
  private readonly cross: SameConv2d;
  private readonly target: SameConv2d;
  private readonly support: SameConv2d;

  constructor(inputs: BlockInputs, [cross, conv]: BlockWidths) {
    super();
    this.inputs = inputs;
    this.cross = this.child('cross.cross_conv', new SameConv2d(inputs.target + inputs.support, cross, { gain: 1 }));
    this.target = this.child('target.vmapped.conv', new SameConv2d(cross, conv));
    this.support = this.child('support.vmapped.conv', new SameConv2d(cross, conv));
  }

  /**
   * @param target - [B, H, W, target channels] f32.
   * @param support - [B * S, H, W, support channels] f32.
   * @returns target [B, H, W, C] and support [B * S, H, W, C] f32.
   */
  forward(target: tf.Tensor4D, support: tf.Tensor4D): { target: tf.Tensor4D; support: tf.Tensor4D } {
    const ofTarget = this.ofTarget(target); // [B, H, W, cross]
    const ofSupport = this.ofSupport(support); // [B * S, H, W, cross]
    const interaction = addToEach(ofTarget, ofSupport);
    return {
      target: this.newTarget(tf.add(ofTarget, meanOfEach(ofSupport, target.shape[0]))),
      support: leakyRelu(this.support.forward(interaction)),
    };
  }

  /**
   * The new target alone, for the last block. It only depends on the mean of the supports.
   *
   * @param target - [B, H, W, target channels] f32.
   * @param meanSupport - [B, H, W, support channels] f32.
   * @returns [B, H, W, C] f32.
   */
  forwardTarget(target: tf.Tensor4D, meanSupport: tf.Tensor4D): tf.Tensor4D {
    return this.newTarget(tf.add(this.ofTarget(target), this.ofSupport(meanSupport)));
  }

  /**
   * The new support maps before the target's part and the activation: independent of the target.
   *
   * @param support - [B * S, H, W, support channels] f32.
   * @returns [B * S, H, W, C] f32.
   */
  supportPart(support: tf.Tensor4D): tf.Tensor4D {
    return this.support.product(this.ofSupport(support));
  }

  /** {@link forward} with the {@link supportPart} given, and the mean of the supports as in {@link forwardTarget}. */
  forwardParts(
    target: tf.Tensor4D,
    meanSupport: tf.Tensor4D,
    supportPart: tf.Tensor4D,
  ): { target: tf.Tensor4D; support: tf.Tensor4D } {
    const ofTarget = this.ofTarget(target);
    return {
      target: this.newTarget(tf.add(ofTarget, this.ofSupport(meanSupport))),
      support: leakyRelu(addToEach(this.support.forward(ofTarget), supportPart)),
    };
  }

  private ofTarget(target: tf.Tensor4D): tf.Tensor4D {
    return tf.add(this.cross.product(target, [0, this.inputs.target]), this.cross.bias.value);
  }

  private ofSupport(support: tf.Tensor4D): tf.Tensor4D {
    return this.cross.product(support, [this.inputs.target, this.inputs.support]);
  }

  private newTarget(meanInteraction: tf.Tensor4D): tf.Tensor4D {
    return leakyRelu(this.target.forward(meanInteraction));
  }
}

/** Adds the map of each of B targets, [B, ...], to those of its supports, [B * S, ...]. */
function addToEach(target: tf.Tensor4D, supports: tf.Tensor4D): tf.Tensor4D {
  const [b, ...map] = target.shape;
  if (b === 1) return tf.add(target, supports);
  const grouped = tf.reshape(supports, [b, -1, ...map]);
  return tf.reshape(tf.add(tf.expandDims(target, 1), grouped), supports.shape);
}

/** The mean over each target's supports: [B * S, ...] to [B, ...]. */
export function meanOfEach(supports: tf.Tensor4D, targets: number): tf.Tensor4D {
  return tf.mean(tf.reshape(supports, [targets, -1, ...supports.shape.slice(1)]), 1) as tf.Tensor4D;
}
