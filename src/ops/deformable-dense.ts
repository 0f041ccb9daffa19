import { tf } from '../backend/index.js';
import { cellPositions, type Sampler, type SamplingGeometry, type SamplingTensors } from './deformable-sampler.js';

/**
 * Samples by matrix products: the products of bilinear weights along y and x, for every row and column of a level, form a matrix
 * from queries to cells. Needs no gather, but its cost grows with the maps: for small ones.
 */
export function denseSampler(geometry: SamplingGeometry): Sampler {
  const { batch, queries, heads, depth } = geometry;
  return {
    sample(inputs) {
      const { values, levels } = prepare(inputs, geometry);
      const parts = levels.map((level, i) =>
        tf.tidy(() => tf.matMul(samplingMatrix(level, geometry).matrix, values[i] as tf.Tensor3D)),
      );
      return tf.transpose(tf.addN(parts).reshape([batch, heads, queries, depth]), [0, 2, 1, 3]);
    },
    gradients(inputs, dy) {
      const { values, levels } = prepare(inputs, geometry);
      const perHead = tf
        .transpose(dy.reshape([batch, queries, heads, depth]), [0, 2, 1, 3])
        .reshape([batch * heads, queries, depth]);
      const parts = levels.map((level, i) =>
        tf.tidy(() => levelGradients(level, values[i] as tf.Tensor3D, perHead as tf.Tensor3D, geometry)),
      );
      return assemble(parts, geometry);
    },
  };
}

/** One level of R = B * H * Q rows of P points. */
interface Level {
  readonly size: readonly [number, number];
  /** [R, P, 1] f32, in cells. */
  readonly x: tf.Tensor;
  /** [R, P, 1] f32, in cells. */
  readonly y: tf.Tensor;
  /** [R, P, 1] f32. */
  readonly weight: tf.Tensor;
}

/** The value of each level as [B * H, cells, D], and its points. */
function prepare(
  { value, locations, weights }: SamplingTensors,
  { batch, cells, queries, heads, depth, points, spatialShapes }: SamplingGeometry,
): { values: tf.Tensor[]; levels: Level[] } {
  const rows = batch * heads * queries;
  const levels = spatialShapes.length;
  const perHead = tf.transpose(value, [0, 2, 1, 3]).reshape([batch * heads, cells, depth]);
  const values = tf.split(
    perHead,
    spatialShapes.map(([h, w]) => h * w),
    1,
  );
  const split = tf.transpose(locations, [3, 5, 0, 2, 1, 4]).reshape([levels * 2, rows * points]); // level by level: x, y
  const sizes = tf.tensor2d(
    spatialShapes.flatMap(([h, w]) => [w, h]),
    [levels * 2, 1],
  );
  const positions = tf.split(cellPositions(split, sizes), levels * 2);
  const shares = tf.split(tf.transpose(weights, [3, 0, 2, 1, 4]).reshape([levels, rows * points]), levels);
  const column = (x: tf.Tensor | undefined) => (x as tf.Tensor).reshape([rows, points, 1]);
  return {
    values,
    levels: spatialShapes.map((size, i) => ({
      size,
      x: column(positions[2 * i]),
      y: column(positions[2 * i + 1]),
      weight: column(shares[i]),
    })),
  };
}

/** Bilinear weight of each of `size` cells at each position; zero outside, without a mask. [R, P, 1] to [R, P, size]. */
function hats(position: tf.Tensor, size: number): tf.Tensor3D {
  return tf.relu(tf.sub(1, tf.abs(tf.sub(position, tf.range(0, size))))) as tf.Tensor3D;
}

/** Derivative of {@link hats}, right-hand at integer coordinates. */
function slopes(position: tf.Tensor, size: number): tf.Tensor3D {
  const near = tf.floor(position);
  const cells = tf.range(0, size);
  const one = (at: tf.Tensor) => tf.cast(tf.equal(at, cells), 'float32');
  return tf.sub(one(tf.add(near, 1)), one(near)) as tf.Tensor3D;
}

interface SamplingMatrix {
  /** [B * H, Q, h * w] f32. */
  readonly matrix: tf.Tensor3D;
  /** [R, P, h] f32, without the attention weight. */
  readonly alongY: tf.Tensor3D;
  /** [R, P, h] f32, with the attention weight. */
  readonly weightedY: tf.Tensor3D;
  /** [R, P, w] f32. */
  readonly alongX: tf.Tensor3D;
}

function samplingMatrix({ size: [h, w], x, y, weight }: Level, { batch, heads, queries }: SamplingGeometry): SamplingMatrix {
  const alongY = hats(y, h);
  const alongX = hats(x, w);
  const weightedY = tf.mul(alongY, weight) as tf.Tensor3D;
  const matrix = tf.matMul(weightedY, alongX, true, false).reshape([batch * heads, queries, h * w]) as tf.Tensor3D;
  return { matrix, alongY, weightedY, alongX };
}

/** Gradients of one level: value [B * H, cells, D], and x, y, weight [R, P] f32 (x and y per cell). */
type LevelGradients = { value: tf.Tensor; x: tf.Tensor; y: tf.Tensor; weight: tf.Tensor };

function levelGradients(level: Level, value: tf.Tensor3D, dy: tf.Tensor3D, geometry: SamplingGeometry): LevelGradients {
  const { x, y, weight, size } = level;
  const [h, w] = size;
  const { matrix, alongY, weightedY, alongX } = samplingMatrix(level, geometry);
  const dMatrix = tf.matMul(dy, value, false, true).reshape([-1, h, w]) as tf.Tensor3D; // [R, h, w]
  const dRow = tf.matMul(alongX, dMatrix, false, true); // [R, P, h]
  const dColumn = tf.matMul(weightedY, dMatrix); // [R, P, w]
  const slopeY = tf.sum(tf.mul(dRow, slopes(y, h)), 2); // [R, P]
  return {
    value: tf.matMul(matrix, dy, true, false),
    x: tf.sum(tf.mul(dColumn, slopes(x, w)), 2),
    y: tf.mul(slopeY, weight.reshape(slopeY.shape)),
    weight: tf.sum(tf.mul(dRow, alongY), 2),
  };
}

/** Concatenates the levels in the inputs' order. */
function assemble(
  parts: readonly LevelGradients[],
  { batch, cells, queries, heads, depth, points, spatialShapes }: SamplingGeometry,
): SamplingTensors {
  const levels = spatialShapes.length;
  const value = tf
    .concat(
      parts.map((part) => part.value),
      1,
    )
    .reshape([batch, heads, cells, depth]);
  const scaled = parts.flatMap(({ x, y }, i) => {
    const [h, w] = spatialShapes[i] as readonly [number, number];
    return [tf.mul(x, w), tf.mul(y, h)];
  });
  const locations = tf.stack(scaled).reshape([levels, 2, batch, heads, queries, points]);
  const weights = tf.stack(parts.map((part) => part.weight)).reshape([levels, batch, heads, queries, points]);
  return {
    value: tf.transpose(value, [0, 2, 1, 3]),
    locations: tf.transpose(locations, [2, 4, 3, 0, 5, 1]),
    weights: tf.transpose(weights, [1, 3, 2, 0, 4]),
  };
}
