import { hasNativeLinear, tf } from '../../backend/index.js';
import type { Linear } from '../../nn/index.js';

/**
 * Projections of the many cells of an image that only interact with the few tokens of a text. Matrix products are associative:
 * applied to the tokens first, a projection costs tokens times heads per cell, instead of its width. All shapes: H heads of dh
 * channels, d features.
 */

/** [B, T, H * dh] to [H, B * T, dh]. */
function byHead(x: tf.Tensor, heads: number): tf.Tensor3D {
  const [b = 0, t = 0, width = 0] = x.shape;
  return tf.reshape(tf.transpose(tf.reshape(x, [b, t, heads, width / heads]), [2, 0, 1, 3]), [heads, b * t, width / heads]);
}

/** [H, B * T, n] to [B, H * T, n]. */
function byImage(x: tf.Tensor, batch: number): tf.Tensor3D {
  const [heads = 0, rows = 0, n = 0] = x.shape;
  const tokens = rows / batch;
  return tf.reshape(tf.transpose(tf.reshape(x, [heads, batch, tokens, n]), [1, 0, 2, 3]), [batch, heads * tokens, n]);
}

/** The weight of a projection [H * dh, d] as [H, dh, d], and its bias as [H, 1, dh]. */
function headsOf({ weight, bias, outFeatures, inFeatures }: Linear, heads: number) {
  const depth = outFeatures / heads;
  return {
    weight: tf.reshape(weight.value, [heads, depth, inFeatures]) as tf.Tensor3D,
    bias: tf.reshape(bias === undefined ? tf.zeros([outFeatures]) : bias.value, [heads, 1, depth]) as tf.Tensor3D,
  };
}

/**
 * The linear map of each head, without bias: [H, rows, in] and [H, out, in] to [H, rows, out]. On the native backend one head after
 * the other, as the last digits of a batched product depend on the number of rows, and with it on the images of the batch.
 */
function headwise(x: tf.Tensor3D, weight: tf.Tensor3D): tf.Tensor3D {
  if (!hasNativeLinear()) return tf.matMul(x, weight, false, true);
  const weights = tf.unstack(weight);
  return tf.stack(tf.unstack(x).map((rows, h) => tf.matMul(rows, weights[h] as tf.Tensor, false, true))) as tf.Tensor3D;
}

/**
 * Attention scores between cells and tokens: projection(cells) · tokens, per head.
 *
 * @param cells - [B, S, d] f32.
 * @param tokens - [B, T, H * dh] f32, projected and scaled.
 * @returns [B, S, H * T] f32.
 */
export function foldedScores(cells: tf.Tensor, projection: Linear, tokens: tf.Tensor, heads: number): tf.Tensor3D {
  const [batch = 0] = cells.shape;
  const { weight, bias } = headsOf(projection, heads);
  const few = byHead(tokens, heads); // [H, B * T, dh]
  const folded = byImage(headwise(few, tf.transpose(weight, [0, 2, 1])), batch); // [B, H * T, d]
  const offset = tf.transpose(byImage(tf.sum(tf.mul(few, bias), 2, true), batch), [0, 2, 1]); // [B, 1, H * T]
  return tf.add(tf.matMul(cells as tf.Tensor3D, folded, false, true), offset) as tf.Tensor3D;
}

/**
 * Attention output of the cells: projection(weights · tokens).
 *
 * @param weights - [B, S, H * T] f32.
 * @param tokens - [B, T, H * dh] f32.
 * @param projection - [d, H * dh].
 * @returns [B, S, d] f32.
 */
export function foldedMixOfTokens(weights: tf.Tensor3D, tokens: tf.Tensor, projection: Linear, heads: number): tf.Tensor {
  const [batch] = weights.shape;
  const { weight, bias, inFeatures, outFeatures } = projection;
  const turned = tf.transpose(tf.reshape(weight.value, [outFeatures, heads, inFeatures / heads]), [1, 0, 2]); // [H, d, dh]
  const folded = byImage(headwise(byHead(tokens, heads), turned as tf.Tensor3D), batch); // [B, H * T, d]
  const mixed = tf.matMul(weights, folded);
  return bias === undefined ? mixed : tf.add(mixed, bias.value);
}

/**
 * Attention output of the tokens: weights · projection(cells), for weights that sum to one.
 *
 * @param weights - [B, H * T, S] f32.
 * @param cells - [B, S, d] f32.
 * @returns [B, T, H * dh] f32.
 */
export function foldedMixOfCells(weights: tf.Tensor3D, cells: tf.Tensor, projection: Linear, heads: number): tf.Tensor3D {
  const [batch, rows] = weights.shape;
  const tokens = rows / heads;
  const { weight, bias } = headsOf(projection, heads);
  const [, depth, d] = weight.shape;
  const mixed = tf.reshape(tf.matMul(weights, cells as tf.Tensor3D), [batch, heads, tokens, d]);
  const few = tf.reshape(tf.transpose(mixed, [1, 0, 2, 3]), [heads, batch * tokens, d]) as tf.Tensor3D;
  const projected = tf.add(headwise(few, weight), bias); // [H, B * T, dh]
  const ordered = tf.transpose(tf.reshape(projected, [heads, batch, tokens, depth]), [1, 2, 0, 3]);
  return tf.reshape(ordered, [batch, tokens, heads * depth]) as tf.Tensor3D;
}
