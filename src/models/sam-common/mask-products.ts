import { tf } from '../../backend/index.js';
import type { FeedForward } from './feed-forward.js';

/** Repeats each image's map once per prompt: [B, h, w, C] to [B * N, h, w, C]. */
export function perPrompt(maps: tf.Tensor4D, rows: number): tf.Tensor4D {
  const [b, h, w, c] = maps.shape;
  const n = rows / b;
  if (n === 1) return maps;
  return tf.reshape(tf.tile(tf.reshape(maps, [b, 1, h * w * c]), [1, n, 1]), [rows, h, w, c]);
}

/** Prepends a decoder's own tokens, [..., C] each, to every prompt's: [B, N, T, C] to [B * N, own + T, C]. */
export function prependTokens(own: readonly tf.Tensor[], prompt: tf.Tensor4D): tf.Tensor3D {
  const [b, n, t, c] = prompt.shape;
  const repeated = tf.tile(tf.expandDims(tf.concat([...own], 0), 0), [b * n, 1, 1]);
  return tf.concat([repeated, tf.reshape(prompt, [b * n, t, c])], 1) as tf.Tensor3D;
}

/** One token per row: [rows, T, C] to [rows, C]. */
export function tokenAt(tokens: tf.Tensor3D, index: number): tf.Tensor2D {
  const [rows, , c] = tokens.shape;
  return tf.reshape(tokens.slice([0, index, 0], [-1, 1, -1]), [rows, c]);
}

/**
 * Masks as products of the upscaled image features with the hypernetworks' outputs for the mask tokens.
 *
 * @param networks - one per mask.
 * @param tokens - [rows, T, C] f32.
 * @param first - index of the first mask token.
 * @param upscaled - [rows, 4h * 4w, C / 8] f32.
 * @returns [rows, masks, 4h * 4w] f32 logits.
 */
export function maskProducts(
  networks: readonly FeedForward[],
  tokens: tf.Tensor3D,
  first: number,
  upscaled: tf.Tensor3D,
): tf.Tensor3D {
  const weights = tf.stack(
    networks.map((network, i) => network.forward(tokenAt(tokens, first + i))),
    1,
  ) as tf.Tensor3D; // [rows, masks, C / 8]
  return tf.matMul(weights, upscaled, false, true);
}
