import { tf } from '../backend/index.js';

/** The sizes of one call. */
export interface SamplingGeometry {
  readonly batch: number;
  readonly cells: number;
  readonly queries: number;
  readonly heads: number;
  /** Channels per head, D. */
  readonly depth: number;
  readonly points: number;
  readonly spatialShapes: readonly (readonly [number, number])[];
}

/** The three differentiable inputs or their gradients, in the shapes of deformable attention. */
export interface SamplingTensors {
  readonly value: tf.Tensor;
  readonly locations: tf.Tensor;
  readonly weights: tf.Tensor;
}

/** A method to compute the op. Results may be reshaped: [B, Q, H * D] and the inputs' shapes in row-major order. */
export interface Sampler {
  sample(inputs: SamplingTensors): tf.Tensor;
  /** @param dy - [B, Q, H * D] f32. */
  gradients(inputs: SamplingTensors, dy: tf.Tensor): SamplingTensors;
}

/**
 * Converts sampling locations to cell coordinates.
 *
 * @param locations - f32, 0 to 1 within the map.
 * @param size - f32, sizes of the maps in cells, broadcast to `locations`.
 * @returns f32: integers at cell centres. Locations that are not finite map to a point outside.
 */
export function cellPositions(locations: tf.Tensor, size: tf.Tensor): tf.Tensor {
  const position = tf.sub(tf.mul(locations, size), 0.5);
  return tf.where(tf.isFinite(position), position, OUTSIDE);
}

/** A position that touches no cell of any map. */
const OUTSIDE = -2;
