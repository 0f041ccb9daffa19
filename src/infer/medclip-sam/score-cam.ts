import { tf } from '../../backend/index.js';
import { type BiomedClip, type BlockNorm, patchesAcross } from '../../models/biomed-clip/index.js';
import { inference } from '../../nn/index.js';
import { leadingChannels } from './leaders.js';

/** Settings of {@link scoreCam}. */
export interface CamOptions {
  /** The norm of the last block whose result is explained. At `norm2`, as published, patches have no gradient. */
  readonly norm: BlockNorm;
  /** Channels with the largest gradients, which are scored by a pass each. */
  readonly channels: number;
  /** Passes at a time. */
  readonly batch: number;
}

/** An image, and the text to find in it. */
export interface CamInputs {
  /** [1, S, S, 3] f32, normalised. */
  readonly pixelValues: tf.Tensor4D;
  /** [1, features] f32. */
  readonly textFeatures: tf.Tensor2D;
}

/** Keeps a division by the range of a channel, and of the map, finite; as in the reference. */
const CHANNEL_EPS = 1e-6;
const MAP_EPS = 1e-8;

/**
 * A map of where an image resembles a text (gScoreCAM): channels of the last block, weighted by how much the image resembles the text
 * where it is masked by each. Channels are tried in the order of the gradient of the likeness.
 *
 * @returns [patches] f32 in [0, 1], row by row; all 0 where no channel is positive.
 * @see Chen et al. 2022, gScoreCAM; MedCLIP-SAM, `saliency_maps/pytorch_grad_cam/gscore_cam.py`
 */
export async function scoreCam(model: BiomedClip, inputs: CamInputs, options: CamOptions): Promise<Float32Array> {
  const { normed, gradient } = gradientOfChannels(model, inputs, options.norm);
  const patches = tf.tidy(() => withoutClassToken(normed)); // [patches, C]
  const importance = tf.tidy(() => tf.mean(withoutClassToken(gradient), 0)); // [C]
  try {
    const channels = leadingChannels(await importance.data<'float32'>(), options.channels);
    const scores = await scoresOf(model, inputs, patches, channels, options.batch);
    const map = weighted(patches, scores);
    const values = await map.data<'float32'>();
    map.dispose();
    return normalised(values);
  } finally {
    tf.dispose([normed, gradient, patches, importance]);
  }
}

/** What a norm of the last block gives, and the gradient of the likeness with respect to it: [1, 1 + patches, C] each. */
export function gradientOfChannels(
  model: BiomedClip,
  { pixelValues, textFeatures }: CamInputs,
  norm: BlockNorm,
): { readonly normed: tf.Tensor3D; readonly gradient: tf.Tensor3D } {
  return tf.tidy(() => {
    const states = model.visual.statesAfter(pixelValues, model.config.vision.numHiddenLayers - 1, inference);
    const normed = model.visual.lastNormed(states, norm, inference);
    const likeness = tf.grad((x: tf.Tensor) => {
      const features = model.visual.poolFromNormed(states, norm, x as tf.Tensor3D, inference);
      return tf.sum(model.compare(features, textFeatures, inference).logitsPerImage);
    });
    return { normed, gradient: likeness(normed) as tf.Tensor3D };
  });
}

/** [1, 1 + patches, C] to [patches, C]. */
function withoutClassToken(x: tf.Tensor3D): tf.Tensor2D {
  const [, n, c] = x.shape;
  return tf.reshape(tf.slice(x, [0, 1, 0], [1, n - 1, c]), [n - 1, c]);
}

/** The likeness of the image under the mask of each channel; 0 for channels that are not scored. @returns [C]. */
async function scoresOf(
  model: BiomedClip,
  { pixelValues, textFeatures }: CamInputs,
  patches: tf.Tensor2D,
  channels: readonly number[],
  batch: number,
): Promise<Float32Array> {
  const scores = new Float32Array(patches.shape[1]);
  const [side, across] = [pixelValues.shape[1], patchesAcross(model.config.vision)];
  for (let start = 0; start < channels.length; start += batch) {
    const some = channels.slice(start, start + batch);
    const logits = tf.tidy(() => {
      const chosen = tf.gather(patches, tf.tensor1d(some, 'int32'), 1); // [patches, n]
      const small = tf.reshape(tf.transpose(chosen), [some.length, across, across, 1]) as tf.Tensor4D;
      const maps = tf.image.resizeBilinear(small, [side, side], true); // corners on corners, as in the reference
      const low = tf.min(maps, [1, 2, 3], true);
      const range = tf.add(tf.sub(tf.max(maps, [1, 2, 3], true), low), CHANNEL_EPS);
      const masked = tf.mul(pixelValues, tf.div(tf.sub(maps, low), range)) as tf.Tensor4D; // [n, S, S, 3]
      return model.compare(model.visual.forward(masked, inference), textFeatures, inference).logitsPerImage; // [n, 1]
    });
    const values = await logits.data<'float32'>();
    logits.dispose();
    for (const [i, channel] of some.entries()) scores[channel] = values[i] as number;
  }
  return scores;
}

/** The sum of all channels, each weighted by the softmax of the scores: [patches]. */
function weighted(patches: tf.Tensor2D, scores: Float32Array): tf.Tensor1D {
  return tf.tidy(() => tf.sum(tf.mul(patches, tf.softmax(tf.tensor1d(scores))), 1));
}

/** Positive values, rescaled to [0, 1]. */
export function normalised(values: Float32Array): Float32Array {
  const positive = values.map((value) => (value > 0 || Number.isNaN(value) ? value : 0));
  const low = positive.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const range = positive.reduce((most, value) => Math.max(most, value), 0) - low + MAP_EPS;
  return positive.map((value) => (value - low) / range);
}
