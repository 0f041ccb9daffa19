import { tf } from '../backend/index.js';

/**
 * Encodes each coordinate by sines (even features) and cosines (odd features) of 2π x / temperature^(2⌊i/2⌋/features). The first
 * two coordinates are swapped: (x, y, …) gives [y, x, …], as in DETR.
 *
 * @param coordinates - [..., n] f32, usually in [0, 1].
 * @param features - number of features per coordinate.
 * @param temperature - Default: 10000.
 * @returns [..., n * features] f32.
 */
export function sinusoidalEncoding(coordinates: tf.Tensor, features: number, temperature = 10000): tf.Tensor {
  const lead = coordinates.shape.slice(0, -1);
  const n = coordinates.shape[coordinates.shape.length - 1] ?? 0;
  const order = Int32Array.from({ length: n }, (_, i) => (n >= 2 && i < 2 ? 1 - i : i));
  const swapped = n >= 2 ? tf.gather(coordinates, tf.tensor1d(order, 'int32'), coordinates.rank - 1) : coordinates;
  return waves(swapped.reshape([-1, n, 1]), features, temperature).reshape([...lead, n * features]);
}

/** sin(2π x / temperature^…), with cosines computed as sines shifted by a quarter turn: one op for both. */
function waves(x: tf.Tensor, features: number, temperature: number): tf.Tensor {
  const frequency = Float32Array.from(
    { length: features },
    (_, i) => (2 * Math.PI) / temperature ** ((2 * Math.floor(i / 2)) / features),
  );
  const phase = Float32Array.from({ length: features }, (_, i) => (i % 2) * (Math.PI / 2));
  return tf.sin(tf.add(tf.mul(x, tf.tensor1d(frequency)), tf.tensor1d(phase)));
}

/**
 * Position of each cell of a padded map, as a fraction of the valid rows and columns, encoded by {@link sinusoidalEncoding}.
 *
 * @param mask - [B, H, W] f32, 1 image 0 padding.
 * @param channels - of the result; half for y, half for x.
 * @returns [B, H * W, channels] f32.
 */
export function sinePositionEmbedding(mask: tf.Tensor3D, channels: number, temperature: number): tf.Tensor3D {
  const [b, h, w] = mask.shape;
  const rows = tf.cumsum(mask, 1); // [B, H, W]
  const columns = tf.cumsum(mask, 2);
  const eps = 1e-6;
  const y = tf.div(rows, tf.add(rows.slice([0, h - 1, 0], [b, 1, w]), eps));
  const x = tf.div(columns, tf.add(columns.slice([0, 0, w - 1], [b, h, 1]), eps));
  return sinusoidalEncoding(tf.stack([x, y], -1).reshape([b, h * w, 2]), channels / 2, temperature) as tf.Tensor3D;
}

/**
 * Sines, then cosines, of times in units of the longest one: encodings of numbers, not of tensors.
 *
 * @param features - of each encoding.
 * @returns [times, features] row-major.
 * @see SAM 2, `get_1d_sine_pe`
 */
export function temporalEncoding(times: readonly number[], features: number, temperature = 10000): Float32Array {
  const half = features / 2;
  const encoded = new Float32Array(times.length * features);
  for (const [row, time] of times.entries()) {
    for (let i = 0; i < half; i++) {
      const angle = time / temperature ** ((2 * Math.floor(i / 2)) / half);
      encoded[row * features + i] = Math.sin(angle);
      encoded[row * features + half + i] = Math.cos(angle);
    }
  }
  return encoded;
}
