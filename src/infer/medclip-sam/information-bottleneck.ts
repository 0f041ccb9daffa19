import { tf } from '../../backend/index.js';
import type { BiomedClip } from '../../models/biomed-clip/index.js';
import { CheckpointedTape, constant, inference, Module, type Parameter } from '../../nn/index.js';
import { Rng } from '../../util/index.js';

/** Settings of the bottleneck's optimisation. */
export interface BottleneckOptions {
  /** Number of the block, from 0, after which information is held back. */
  readonly layer: number;
  /** Weight of the information that passes against the likeness of image and text. */
  readonly beta: number;
  /** Steps of the optimisation. */
  readonly steps: number;
  /** Copies of the image with noise of their own in each step. */
  readonly copies: number;
}

/** Learning rate and constants of Adam, and the logit of the share that passes at first; fixed in the reference. */
const ADAM = { rate: 1, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
const INITIAL_LOGIT = 5;

/**
 * How much each patch of an image tells about a text (M2IB): noise is mixed into the states after a block, as much as possible
 * without making image and text less alike. The information that then still passes is the patch's salience.
 *
 * Computed once for an image: the blocks up to the bottleneck. The last step's salience depends on no noise of its own, so that
 * one step fewer than `steps` passes through the other blocks.
 *
 * @param noise - standard normal noise of each step but the last, [copies, 1 + patches, C] f32; disposed here.
 * @param textFeatures - [1, features] f32.
 * @returns [patches] f32 in nats, row by row.
 * @see Wang et al. 2023, Visual Explanations of Image-Text Representations via Multi-Modal Information Bottleneck Attribution;
 *   HealthX-Lab/MedCLIP-SAMv2, `saliency_maps/scripts/iba.py`
 */
export function informationOfPatches(
  model: BiomedClip,
  inputs: { readonly pixelValues: tf.Tensor4D; readonly textFeatures: tf.Tensor2D },
  options: BottleneckOptions,
  noise: (step: number) => tf.Tensor3D,
): tf.Tensor1D {
  const { layer, steps } = options;
  return tf.tidy(() => {
    const states = model.visual.statesAfter(inputs.pixelValues, layer + 1, inference); // [1, 1 + patches, C]
    const given = { states, textFeatures: inputs.textFeatures };
    const bottleneck = new Bottleneck(states.shape);
    const adam = new Adam(states.shape);
    try {
      for (let step = 0; step < steps - 1; step++)
        tf.tidy(() => adam.update(bottleneck.logits, gradientOf(model, bottleneck, given, options, noise(step))));
      const perToken = tf.sum(bottleneck.information(states), 2); // [1, 1 + patches]
      return tf.reshape(tf.slice(perToken, [0, 1]), [-1]) as tf.Tensor1D;
    } finally {
      bottleneck.dispose();
      adam.dispose();
    }
  });
}

/** Gradient of the loss with respect to the bottleneck's logits, [1, 1 + patches, C]. The model must be frozen. */
function gradientOf(
  model: BiomedClip,
  bottleneck: Bottleneck,
  { states, textFeatures }: { readonly states: tf.Tensor3D; readonly textFeatures: tf.Tensor2D },
  { layer, beta }: BottleneckOptions,
  noise: tf.Tensor3D,
): tf.Tensor {
  const tape = new CheckpointedTape(Rng.seeded(0));
  try {
    const { noisy, information } = tape.block(bottleneck, { states, noise }, (x) => ({
      noisy: bottleneck.mixed(x.states, x.noise), // [copies, 1 + patches, C]
      information: tf.mean(bottleneck.information(x.states)), // of every copy the same
    }));
    const features = model.visual.pool(noisy, layer + 1, tape); // [copies, features]
    const { likeness } = tape.block([], { features, textFeatures }, (x) => ({
      likeness: meanCosine(x.features, x.textFeatures),
    }));
    const { gradients } = tape.backward([
      [information, tf.scalar(beta)],
      [likeness, tf.scalar(-1)],
    ]);
    return gradients.get(bottleneck.logits) as tf.Tensor;
  } finally {
    tape.dispose();
  }
}

/** Mean cosine of rows with one other row. */
function meanCosine(rows: tf.Tensor2D, other: tf.Tensor2D): tf.Scalar {
  const length = (x: tf.Tensor) => tf.sqrt(tf.sum(tf.square(x), -1, true));
  const products = tf.sum(tf.mul(rows, other), -1, true);
  return tf.mean(tf.div(products, tf.mul(length(rows), length(other))));
}

/** Replaces a share of each value by noise of variance 1. */
class Bottleneck extends Module {
  /** Logits of the shares λ that pass, [1, N, C]. */
  readonly logits: Parameter;

  constructor(shape: readonly number[]) {
    super();
    this.logits = this.parameter('alpha', shape, { init: constant(INITIAL_LOGIT) });
    this.initialise(Rng.seeded(0));
  }

  /** λ x + (1 - λ) noise: states [1, N, C] and noise [copies, N, C] to [copies, N, C]. */
  mixed(states: tf.Tensor3D, noise: tf.Tensor3D): tf.Tensor3D {
    const { passing, held } = this.shares();
    return tf.add(tf.mul(states, passing), tf.mul(noise, held)) as tf.Tensor3D;
  }

  /** Divergence of the mixture N(λ x, (1 - λ)²) from N(0, 1) in nats, of the same shape as the states. */
  information(states: tf.Tensor3D): tf.Tensor3D {
    const { passing, held } = this.shares();
    // ln (1 - λ) = -softplus(logit): the difference itself would be rounded where λ is almost 1.
    const logVariance = tf.mul(tf.softplus(this.logits.value as tf.Tensor), -2);
    const squares = tf.add(tf.square(tf.mul(states, passing)), tf.square(held));
    return tf.mul(tf.sub(squares, tf.add(logVariance, 1)), 0.5) as tf.Tensor3D;
  }

  private shares(): { readonly passing: tf.Tensor; readonly held: tf.Tensor } {
    const logits = this.logits.value as tf.Tensor;
    return { passing: tf.sigmoid(logits), held: tf.sigmoid(tf.neg(logits)) };
  }
}

/**
 * Adam for one parameter, without weight decay. That of tfjs corrects its bias with powers in float32, in which 1 - 0.999 is off by
 * 1.3e-5: at a rate of 1, the logits of nine steps would differ from the reference's by up to 6e-5.
 */
class Adam {
  private readonly mean: tf.Variable;
  private readonly square: tf.Variable;
  private step = 0;

  constructor(shape: readonly number[]) {
    [this.mean, this.square] = [0, 0].map(() => tf.tidy(() => tf.variable(tf.zeros([...shape]), false))) as [
      tf.Variable,
      tf.Variable,
    ];
  }

  update(parameter: Parameter, gradient: tf.Tensor): void {
    const { rate, beta1, beta2, eps } = ADAM;
    this.step += 1;
    tf.tidy(() => {
      this.mean.assign(tf.add(tf.mul(this.mean, beta1), tf.mul(gradient, 1 - beta1)));
      this.square.assign(tf.add(tf.mul(this.square, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
      const mean = tf.div(this.mean, 1 - beta1 ** this.step);
      const spread = tf.add(tf.sqrt(tf.div(this.square, 1 - beta2 ** this.step)), eps);
      parameter.assign(tf.sub(parameter.value as tf.Tensor, tf.mul(tf.div(mean, spread), rate)));
    });
  }

  dispose(): void {
    tf.dispose([this.mean, this.square]);
  }
}
