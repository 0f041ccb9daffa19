import { tf } from '../backend/index.js';

/** Cosines and sines by which neighbouring pairs of channels are turned. */
export interface Rotation {
  /** [N, depth / 2] f32. */
  readonly cos: tf.Tensor2D;
  /** [N, depth / 2] f32. */
  readonly sin: tf.Tensor2D;
}

/**
 * Axial rotary positions of the cells of a map: the first half of a head's channels turns with the column, the second with the row.
 *
 * @param depth - channels of a head, a multiple of 4.
 * @param theta - the slowest turn is about 1 / theta a cell.
 * @returns N = height * width rows.
 * @see Heo et al. 2024, Rotary Position Embedding for Vision Transformer, "RoPE-Axial"
 */
export function axialRotation(height: number, width: number, depth: number, theta: number): Rotation {
  const turns = depth / 4; // of one axis
  const angles = new Float32Array(height * width * 2 * turns);
  for (let cell = 0, at = 0; cell < height * width; cell++) {
    for (const place of [cell % width, Math.floor(cell / width)]) {
      for (let i = 0; i < turns; i++, at++) angles[at] = place * Math.fround(theta ** (-i / turns));
    }
  }
  const shape: [number, number] = [height * width, 2 * turns];
  return { cos: tf.tensor2d(angles.map(Math.cos), shape), sin: tf.tensor2d(angles.map(Math.sin), shape) };
}

/**
 * Turns neighbouring pairs of channels, so that products of queries and keys depend on the distance of their places.
 *
 * @param x - [B, M, heads * depth] f32, where M is one or several times the rotation's N: the places begin again.
 * @returns the same shape.
 * @see Su et al. 2021, RoFormer, equation 34
 */
export function rotate(x: tf.Tensor3D, { cos, sin }: Rotation, heads: number): tf.Tensor3D {
  const [b, m, c] = x.shape;
  const [n] = cos.shape;
  return tf.tidy(() => {
    const pairs = tf.reshape(x, [(b * m) / n, n, c / 2, 2]);
    const part = (i: number) => tf.reshape(tf.slice(pairs, [0, 0, 0, i], [-1, -1, -1, 1]), [(b * m) / n, n, c / 2]);
    const [even, odd] = [part(0), part(1)];
    const [turnedCos, turnedSin] = [tf.tile(cos, [1, heads]), tf.tile(sin, [1, heads])];
    const first = tf.sub(tf.mul(even, turnedCos), tf.mul(odd, turnedSin));
    const second = tf.add(tf.mul(even, turnedSin), tf.mul(odd, turnedCos));
    return tf.reshape(tf.stack([first, second], -1), [b, m, c]);
  });
}
