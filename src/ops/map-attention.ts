import { hasNativeMapAttention, isTapeOn, nativeMapAttention, tf } from '../backend/index.js';
import type { Rotation } from './rotary.js';

export interface MapAttentionArgs {
  /** [B, N, C] f32: turned by their places. */
  readonly query: tf.Tensor3D;
  /** [B, K, M] f32: the cells of `maps` maps, one map after the other, then tokens that have no place. */
  readonly tokens: tf.Tensor3D;
  /** [B, K, V] f32. */
  readonly values: tf.Tensor3D;
  /** [C, M] f32: makes keys of tokens. */
  readonly weight: tf.Tensor;
  /** [C] f32. */
  readonly bias: tf.Tensor;
  /** Turns the keys of a map's cells: that of `axialRotation`. */
  readonly rotation: Rotation;
  /** Height and width of a map. */
  readonly size: readonly [number, number];
  readonly maps: number;
}

/** Whether {@link mapAttention} can be used: it is not differentiable. */
export function hasMapAttention(): boolean {
  return hasNativeMapAttention() && !isTapeOn();
}

/**
 * Whether {@link mapAttention} multiplies less than attention to keys that were projected before: per query, it makes a vector as wide
 * as a token for each column and row of a map, and then multiplies tokens instead of keys.
 */
export function savesByMaps([height, width]: readonly [number, number], maps: number, channels: number, depth: number): boolean {
  return height * width * maps * (depth - channels) > ((height + width) * depth * channels) / 2;
}

/**
 * softmax(Q Kᵀ / sqrt(C)) V of one head, whose keys are projected tokens, turned by their place: K = R(cell) (tokens Wᵀ + b). The keys
 * never exist: a query's product with one is that of the token with Wᵀ R(cell)ᵀ q, which is a sum of a vector for the cell's column and
 * one for its row.
 *
 * @returns [B, N, V] f32.
 */
export function mapAttention(args: MapAttentionArgs): tf.Tensor3D {
  const { query, tokens, values, weight, bias, rotation, size, maps } = args;
  const [b, n, depth] = query.shape;
  const [height, width] = size;
  return tf.tidy(() => {
    const rows = (x: tf.Tensor) => x.reshape([-1, x.shape.at(-1) ?? 0]);
    const inputs = { query: rows(query), tokens: rows(tokens), values: rows(values), weight, bias, ...rotation };
    const mixed = nativeMapAttention(inputs, { groups: b, height, width, maps, scale: 1 / Math.sqrt(depth) });
    return mixed.reshape([b, n, values.shape[2]]) as tf.Tensor3D;
  });
}
