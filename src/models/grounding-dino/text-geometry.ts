import { tf } from '../../backend/index.js';
import { biasOf, phraseMasks, sentenceMasks } from './text-masks.js';

/** Constants of a prompt, independent of any parameter. */
export interface TextGeometry {
  /** [B, T] i32. */
  readonly inputIds: tf.Tensor2D;
  /** [B, T] i32, 1 text 0 padding. */
  readonly attentionMask: tf.Tensor2D;
  /** [B, T, T] i32, 1 where a token may attend in the text encoder. */
  readonly selfAttention: tf.Tensor3D;
  /** [B, T] i32, of the text encoder. */
  readonly positionIds: tf.Tensor2D;
  /** [B, 1, 1, T] f32, for scores over tokens: very low at padding. */
  readonly tokenBias: tf.Tensor4D;
  /** [B, 1, T, T] f32, for scores between tokens: very low across phrases. */
  readonly phraseBias: tf.Tensor4D;
  /** [B, T, d] f32. */
  readonly positions: tf.Tensor3D;
}

/**
 * Computes the constants of a batch of prompts, truncated to `maxTextLen` tokens after splitting into phrases, as in the
 * reference.
 */
export function textGeometry(
  allIds: tf.Tensor2D,
  allMask: tf.Tensor2D,
  {
    maxTextLen,
    dModel,
    phrasesAsSentences,
  }: { readonly maxTextLen: number; readonly dModel: number; readonly phrasesAsSentences: boolean },
): TextGeometry {
  const [b, given] = allIds.shape;
  const t = Math.min(given, maxTextLen);
  const masks = phraseMasks(allIds);
  const encoder = phrasesAsSentences ? sentenceMasks(allIds) : masks;
  const attentionMask = allMask.slice([0, 0], [b, t]);
  return {
    inputIds: allIds.slice([0, 0], [b, t]),
    attentionMask,
    selfAttention: encoder.selfAttention.slice([0, 0, 0], [b, t, t]),
    positionIds: encoder.positionIds.slice([0, 0], [b, t]),
    tokenBias: biasOf(attentionMask).reshape([b, 1, 1, t]) as tf.Tensor4D,
    phraseBias: masks.selfAttentionBias.slice([0, 0, 0, 0], [b, 1, t, t]),
    positions: tf.gather(wholeNumberEncoding(given, dModel), masks.positionIds.slice([0, 0], [b, t])) as tf.Tensor as tf.Tensor3D,
  };
}

/**
 * The sinusoidal encoding of positions 0 to count - 1, truncated to integers: [count, features] f32. The reference encodes
 * positions in their own integer type, so that only -1, 0 and 1 remain of its sines and cosines (the authors' code, and older
 * versions of the reference, keep the fractions). Computed in its precision, on the host.
 */
function wholeNumberEncoding(count: number, features: number): tf.Tensor2D {
  const table = Float32Array.from({ length: count * features }, (_, k) => {
    const i = k % features;
    const period = Math.fround(10000 ** ((2 * Math.floor(i / 2)) / features));
    const angle = Math.fround(Math.fround(Math.floor(k / features) * Math.fround(2 * Math.PI)) / period);
    return Math.trunc(Math.fround(i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)));
  });
  return tf.tensor2d(table, [count, features]);
}
