import { tf } from '../backend/index.js';

/** The sizes of one call. */
export interface SamplingGeometry {
  readonly batch: number;
  readonly cells: number;
  readonly queries: number;
  readonly heads: number;
  /** Numbers that a head holds of a cell, D. */
  readonly depth: number;
  readonly points: number;
  readonly spatialShapes: readonly (readonly [number, number])[];
}

/** What depends on the three differentiable inputs, in the shapes that deformable attention takes. */
export interface SamplingTensors {
  readonly value: tf.Tensor;
  readonly locations: tf.Tensor;
  readonly weights: tf.Tensor;
}

/** One way to compute the op. Results may be reshaped: [B, Q, H * D] and the inputs' shapes in row-major order. */
export interface Sampler {
  sample(inputs: SamplingTensors): tf.Tensor;
  /** @param dy - [B, Q, H * D] f32. */
  gradients(inputs: SamplingTensors, dy: tf.Tensor): SamplingTensors;
}

/**
 * Brings sampling locations into cells of their map.
 *
 * @param locations - f32, 0 to 1 within the map.
 * @param size - f32, sides of the maps in cells, broadcast to `locations`.
 * @returns f32: whole at cell centres. Locations that are not finite come to lie outside, like others that are.
 */
export function cellPositions(locations: tf.Tensor, size: tf.Tensor): tf.Tensor {
  const position = tf.sub(tf.mul(locations, size), 0.5);
  return tf.where(tf.isFinite(position), position, OUTSIDE);
}

/** A position that touches no cell of any map. */
const OUTSIDE = -2;
