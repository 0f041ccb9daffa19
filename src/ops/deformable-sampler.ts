import type { tf } from '../backend/index.js';

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
