import { isRecording, tf } from '../backend/index.js';
import { cellPositions, type Sampler, type SamplingGeometry } from './deformable-sampler.js';

/** Maximum number of gathered elements at a time (in a recorded graph, per image of the batch): bounds memory at large sizes. */
const CHUNK_ELEMENTS = 2 ** 24;

/** Indices and weights of the four corners of each point, for R = B * Q * H sampling rows of N = L * P points. */
interface Corners {
  /** [R, N * 4] i32 rows of the flattened value, corner order (y0 x0, y0 x1, y1 x0, y1 x1). */
  readonly index: tf.Tensor2D;
  /** [R, N, 2] f32: weights of the upper and lower row; 0 outside. */
  readonly shareY: tf.Tensor3D;
  /** [R, N, 2] f32: weights of the left and right column; 0 outside. */
  readonly shareX: tf.Tensor3D;
  /** [2, R, N, 2] f32: 1 where the near and far corner's x and y are inside the map. */
  readonly inside: tf.Tensor4D;
}

/** Samples by gathering the four cells around each point. Its cost is independent of the size of the maps: for large ones. */
export function gatherSampler(geometry: SamplingGeometry): Sampler {
  const { batch, cells, queries, heads, depth, points, spatialShapes } = geometry;
  const rows = batch * queries * heads;
  const n = spatialShapes.length * points;
  const flat = (x: tf.Tensor) => x.reshape([batch * cells * heads, depth]) as tf.Tensor2D;
  const perRow = (x: tf.Tensor) => x.reshape([rows, n]) as tf.Tensor2D;
  const corners = (x: tf.Tensor) => findCorners(x.reshape([rows, n, 2]) as tf.Tensor3D, geometry);
  return {
    sample: ({ value, locations, weights }) => sampleSum(flat(value), perRow(weights), corners(locations), batch),
    gradients: ({ value, locations, weights }, dy) =>
      sampleGradients(flat(value), perRow(weights), corners(locations), dy.reshape([rows, depth]) as tf.Tensor2D, geometry),
  };
}

/** [R, 1, D]: the weighted sum of each row's samples. */
function sampleSum(flat: tf.Tensor2D, weights: tf.Tensor2D, corners: Corners, batch: number): tf.Tensor {
  const [rows, n] = weights.shape;
  const d = flat.shape[1];
  const share = cornerShares(corners, weights);
  return chunked(rows, n * 4 * d, batch, (start, count) => {
    const gathered = tf.gather(flat, rowsOf(corners.index, start, count)) as tf.Tensor; // [r, 4N, D]
    return tf.matMul(rowsOf(share, start, count).reshape([count, 1, n * 4]), gathered);
  });
}

/** One pair (x, y) per point of a row, L * P in total. */
function perPoint(
  { spatialShapes, points }: SamplingGeometry,
  pair: (h: number, w: number) => readonly [number, number],
): tf.Tensor2D {
  const flat = spatialShapes.flatMap(([h, w]) => Array.from({ length: points }, () => pair(h, w)).flat());
  return tf.tensor2d(flat, [spatialShapes.length * points, 2]);
}

/** Start of each row's batch, level and head in the flattened value [B * S * H], [R, N] f32 (exact to 2^24). */
function origins({ batch, cells, queries, heads, points, spatialShapes }: SamplingGeometry): tf.Tensor2D {
  const starts: number[] = [];
  let start = 0;
  for (const [h, w] of spatialShapes) {
    for (let p = 0; p < points; p++) starts.push(start * heads);
    start += h * w;
  }
  const rowStart = new Float32Array(batch * queries * heads);
  for (let i = 0; i < rowStart.length; i++) rowStart[i] = Math.floor(i / (queries * heads)) * cells * heads + (i % heads);
  return tf.add(tf.tensor2d(rowStart, [rowStart.length, 1]), tf.tensor1d(starts));
}

function findCorners(locations: tf.Tensor3D, geometry: SamplingGeometry): Corners {
  const [rows, n] = locations.shape;
  const { heads } = geometry;
  const size = perPoint(geometry, (h, w) => [w, h]);
  const last = tf.sub(size, 1);
  const position = cellPositions(locations, size); // [R, N, 2]
  const near = tf.floor(position);
  const fraction = tf.sub(position, near);
  const corner = tf.stack([near, tf.add(near, 1)]); // [2, R, N, 2]
  const clipped = tf.minimum(tf.maximum(corner, 0), last);
  const inside = tf.cast(tf.equal(clipped, corner), 'float32') as tf.Tensor4D;
  const share = tf.mul(tf.stack([tf.sub(1, fraction), fraction]), inside); // [2, R, N, 2]
  const step = perPoint(geometry, (_h, w) => [heads, w * heads]);
  const [x, y] = planes(tf.mul(clipped, step)); // [R, N, 2] each: near, far
  const [shareX, shareY] = planes(share);
  const rowsY = tf.add(y, origins(geometry).reshape([rows, n, 1]));
  const index = tf.add(rowsY.reshape([rows, n, 2, 1]), x.reshape([rows, n, 1, 2])).reshape([rows, n * 4]);
  return { index: tf.cast(index, 'int32') as tf.Tensor2D, shareX, shareY, inside };
}

/** [2, R, N, (x, y)] to the x and the y plane, each [R, N, 2]. */
function planes(x: tf.Tensor): [tf.Tensor3D, tf.Tensor3D] {
  const [, rows = 0, n = 0] = x.shape;
  const [a, b] = tf.split(tf.transpose(x, [3, 1, 2, 0]), 2) as [tf.Tensor, tf.Tensor];
  return [a.reshape([rows, n, 2]) as tf.Tensor3D, b.reshape([rows, n, 2]) as tf.Tensor3D];
}

/** Weight of each corner: attention weight times both bilinear weights, [R, N * 4]. */
function cornerShares({ shareX, shareY }: Corners, weights: tf.Tensor2D): tf.Tensor2D {
  const [rows, n] = weights.shape;
  const weightedY = tf.mul(shareY, weights.reshape([rows, n, 1]));
  return tf.mul(weightedY.reshape([rows, n, 2, 1]), shareX.reshape([rows, n, 1, 2])).reshape([rows, n * 4]) as tf.Tensor2D;
}

function rowsOf<T extends tf.Tensor>(x: T, start: number, count: number): T {
  if (start === 0 && count === x.shape[0]) return x;
  return x.slice([start], [count]) as T;
}

/** Runs `body` on chunks of rows that gather at most {@link CHUNK_ELEMENTS} elements each, and concatenates the results. */
function chunked(
  rows: number,
  elementsPerRow: number,
  batch: number,
  body: (start: number, count: number) => tf.Tensor,
): tf.Tensor {
  const size = Math.max(1, Math.floor(CHUNK_ELEMENTS / elementsPerRow)) * (isRecording() ? batch : 1);
  if (size >= rows) return body(0, rows);
  const parts: tf.Tensor[] = [];
  for (let start = 0; start < rows; start += size) parts.push(tf.tidy(() => body(start, Math.min(size, rows - start))));
  return tf.concat(parts, 0);
}

function sampleGradients(
  flat: tf.Tensor2D,
  weights: tf.Tensor2D,
  corners: Corners,
  dy: tf.Tensor2D,
  geometry: SamplingGeometry,
): { value: tf.Tensor; locations: tf.Tensor; weights: tf.Tensor } {
  const [rows, n] = weights.shape;
  const [valueRows, d] = flat.shape;
  const share = cornerShares(corners, weights);
  let dValue: tf.Tensor | undefined;
  const dCorner = chunked(rows, n * 4 * d, geometry.batch, (start, count) => {
    const index = rowsOf(corners.index, start, count);
    const dRows = rowsOf(dy, start, count);
    const spread = tf.mul(rowsOf(share, start, count).reshape([count, n * 4, 1]), dRows.reshape([count, 1, d]));
    const part = tf.unsortedSegmentSum(spread.reshape([-1, d]), index.reshape([-1]) as tf.Tensor1D, valueRows);
    const sum = dValue === undefined ? part : tf.add(dValue, part);
    dValue?.dispose();
    dValue = tf.keep(sum);
    return tf.matMul(tf.gather(flat, index) as tf.Tensor as tf.Tensor3D, dRows.reshape([count, d, 1])); // [r, 4N, 1]
  }).reshape([rows, n, 2, 2]); // gradient at the sampled corners: [R, N, y, x]
  const { shareX, shareY, inside } = corners;
  const alongY = tf.sum(tf.mul(dCorner, shareX.reshape([rows, n, 1, 2])), -1); // [R, N, 2]
  const alongX = tf.sum(tf.mul(dCorner, shareY.reshape([rows, n, 2, 1])), 2); // [R, N, 2]
  const dWeights = tf.sum(tf.mul(alongY, shareY), -1); // [R, N]
  const [near, far] = tf.unstack(tf.mul(tf.transpose(tf.stack([alongX, alongY], -1), [2, 0, 1, 3]), inside)) as [
    tf.Tensor,
    tf.Tensor,
  ]; // [R, N, (x, y)]
  const slope = tf.mul(tf.sub(far, near), weights.reshape([rows, n, 1]));
  const dLocations = tf.mul(
    slope,
    perPoint(geometry, (h, w) => [w, h]),
  );
  return { value: releaseToScope(dValue as unknown as tf.Tensor), locations: dLocations, weights: dWeights };
}

/** A kept tensor cannot be returned from a tidy like an ordinary one, but a copy can. */
function releaseToScope(kept: tf.Tensor): tf.Tensor {
  const copy = kept.clone();
  kept.dispose();
  return copy;
}
