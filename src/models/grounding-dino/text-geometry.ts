import type { tf } from '../../backend/index.js';
import { sinusoidalEncoding } from '../../ops/index.js';
import { biasOf, phraseMasks } from './text-masks.js';

/** The prompt's constants: no parameter influences them. */
export interface TextGeometry {
  /** [B, T] i32. */
  readonly inputIds: tf.Tensor2D;
  /** [B, T] i32, 1 text 0 padding. */
  readonly attentionMask: tf.Tensor2D;
  /** [B, T, T] i32, 1 where a token may look. */
  readonly selfAttention: tf.Tensor3D;
  /** [B, T] i32. */
  readonly positionIds: tf.Tensor2D;
  /** [B, 1, 1, T] f32, for scores over tokens: very low at padding. */
  readonly tokenBias: tf.Tensor4D;
  /** [B, 1, T, T] f32, for scores between tokens: very low across phrases. */
  readonly phraseBias: tf.Tensor4D;
  /** [B, T, d] f32. */
  readonly positions: tf.Tensor3D;
}

/** Lays out a batch of prompts, cut to `maxTextLen` tokens after the phrases were found, as the reference does. */
export function textGeometry(
  allIds: tf.Tensor2D,
  allMask: tf.Tensor2D,
  { maxTextLen, dModel }: { readonly maxTextLen: number; readonly dModel: number },
): TextGeometry {
  const [b, given] = allIds.shape;
  const t = Math.min(given, maxTextLen);
  const masks = phraseMasks(allIds);
  const positionIds = masks.positionIds.slice([0, 0], [b, t]);
  const attentionMask = allMask.slice([0, 0], [b, t]);
  return {
    inputIds: allIds.slice([0, 0], [b, t]),
    attentionMask,
    selfAttention: masks.selfAttention.slice([0, 0, 0], [b, t, t]),
    positionIds,
    tokenBias: biasOf(attentionMask).reshape([b, 1, 1, t]) as tf.Tensor4D,
    phraseBias: masks.selfAttentionBias.slice([0, 0, 0, 0], [b, 1, t, t]),
    positions: sinusoidalEncoding(positionIds.toFloat().reshape([b, t, 1]), dModel) as tf.Tensor3D,
  };
}
