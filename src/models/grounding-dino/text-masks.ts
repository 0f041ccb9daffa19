import { tf } from '../../backend/index.js';

/** [CLS] and [SEP] in BERT's vocabulary. */
const frameTokens = [101, 102] as const;

/** [CLS], [SEP], full stop and question mark in BERT's vocabulary: each closes a phrase. */
const specialTokens = [...frameTokens, 1012, 1029] as const;

/** Added to attention scores that are masked; gives 0 after softmax in float32. */
const blocked = -1e30;

export interface TextMasks {
  /** [B, T, T] i32, 1 where a token may attend: to its phrase, and to itself. */
  readonly selfAttention: tf.Tensor3D;
  /** [B, 1, T, T] f32: the same as an additive bias. */
  readonly selfAttentionBias: tf.Tensor4D;
  /** [B, T] i32: distance from the start of the phrase; 0 for special tokens and outside phrases. */
  readonly positionIds: tf.Tensor2D;
}

/**
 * Splits prompts into phrases at special tokens. A phrase includes the special token that closes it. Tokens closed by the very
 * first or very last token, or by none (padding), belong to no phrase: each of them attends only to itself.
 *
 * @param inputIds - [B, T] i32.
 * @see the reference's `generate_masks_with_special_tokens_and_transfer_map`
 */
export function phraseMasks(inputIds: tf.Tensor2D): TextMasks {
  const [b, t] = inputIds.shape;
  const { closing, closed, mask, distance } = splitAtSpecialTokens(inputIds);
  const positionIds = tf.mul(distance, tf.mul(closed, tf.sub(1, closing)));
  return {
    selfAttention: tf.cast(mask, 'int32'),
    selfAttentionBias: biasOf(mask.reshape([b, 1, t, t])) as tf.Tensor4D,
    positionIds: tf.cast(positionIds, 'int32') as tf.Tensor2D,
  };
}

/**
 * The same phrases, each read by BERT as a sentence of its own: positions count from 1, its closing full stop included, and its
 * tokens also attend to [CLS], the first token. A phrase is still encoded independently of the others. (Without [CLS], a token
 * at position 0 takes its place, and a sentence encoder loses the word.)
 *
 * @param inputIds - [B, T] i32, starting with [CLS].
 */
export function sentenceMasks(inputIds: tf.Tensor2D): Pick<TextMasks, 'selfAttention' | 'positionIds'> {
  const [b, t] = inputIds.shape;
  const { closed, mask, distance } = splitAtSpecialTokens(inputIds);
  const inSentence = tf.mul(closed, tf.sub(1, marked(inputIds, frameTokens))) as tf.Tensor2D; // [B, T]
  const first = tf.tensor3d(
    Float32Array.from({ length: t }, (_, i) => (i === 0 ? 1 : 0)),
    [1, 1, t],
  );
  const toFirst = tf.mul(inSentence.reshape([b, t, 1]), first); // [B, T, T]
  return {
    selfAttention: tf.cast(tf.maximum(mask, toFirst), 'int32') as tf.Tensor3D,
    positionIds: tf.cast(tf.mul(tf.add(distance, 1), inSentence), 'int32') as tf.Tensor2D,
  };
}

interface Split {
  /** [B, T] f32, 1 at special tokens. */
  readonly closing: tf.Tensor2D;
  /** [B, T] f32, 1 at the tokens of phrases, the closing one included. */
  readonly closed: tf.Tensor2D;
  /** [B, T, T] f32, 1 between tokens of the same phrase, and from each token to itself. */
  readonly mask: tf.Tensor3D;
  /** [B, T] f32: tokens since the last special one. */
  readonly distance: tf.Tensor2D;
}

function splitAtSpecialTokens(inputIds: tf.Tensor2D): Split {
  const [b, t] = inputIds.shape;
  const closing = marked(inputIds, specialTokens);
  const phrase = tf.cumsum(closing, 1, true); // [B, T]: special tokens strictly before
  const same = tf.cast(tf.equal(phrase.reshape([b, t, 1]), phrase.reshape([b, 1, t])), 'float32'); // [B, T, T]
  const inner = tf.tensor1d(Float32Array.from({ length: t }, (_, i) => (i === 0 || i === t - 1 ? 0 : 1)));
  const closed = tf.max(tf.mul(same, tf.mul(closing, inner).reshape([b, 1, t])), 2) as tf.Tensor2D; // [B, T]
  const mask = tf.maximum(tf.mul(same, closed.reshape([b, t, 1])), tf.eye(t)) as tf.Tensor3D;
  const before = tf.tensor2d(
    Float32Array.from({ length: t * t }, (_, k) => (k % t < Math.floor(k / t) ? 1 : 0)),
    [t, t],
  );
  return { closing, closed, mask, distance: tf.sum(tf.mul(same, before), 2) };
}

/** [B, T] f32, 1 at these tokens. */
function marked(inputIds: tf.Tensor2D, ids: readonly number[]): tf.Tensor2D {
  return ids.map((id) => tf.cast(tf.equal(inputIds, id), 'float32')).reduce((sum, mask) => tf.add(sum, mask)) as tf.Tensor2D;
}

/** Converts a mask (1 attend, 0 not) to an additive bias of attention scores. */
export function biasOf(mask: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sub(1, tf.cast(mask, 'float32')), blocked);
}
