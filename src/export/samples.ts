import { tf } from '../backend/index.js';
import type { Size } from '../imaging/index.js';
import type { Rng } from '../util/index.js';

/**
 * An image for verification: smooth blobs with speckle, of the requested size, zero-padded.
 *
 * @returns [H, W, 3] f32 and its mask [H, W] i32; they belong to the caller.
 */
export function sampleImage(rng: Rng, padded: Size, size: Size): { image: tf.Tensor3D; inside: tf.Tensor2D } {
  const { height, width } = padded;
  const blobs = Array.from({ length: 6 }, () => ({
    x: rng.uniform(0, size.width),
    y: rng.uniform(0, size.height),
    spread: rng.uniform(0.05, 0.3) * size.width,
    strength: rng.uniform(-3, 3),
  }));
  const values = new Float32Array(height * width * 3);
  const mask = new Int32Array(height * width);
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const echo = blobs.reduce(
        (sum, b) => sum + b.strength * Math.exp(-((x - b.x) ** 2 + (y - b.y) ** 2) / (2 * b.spread ** 2)),
        0,
      );
      const grey = echo + rng.normal(0, 0.3);
      mask[y * width + x] = 1;
      values.fill(Math.max(-2, Math.min(2, grey)), (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  return { image: tf.tensor3d(values, [height, width, 3]), inside: tf.tensor2d(mask, [height, width], 'int32') };
}

/** An integer from `low` to `high`, inclusive. */
export function between(rng: Rng, low: number, high: number): number {
  return low + rng.int(high - low + 1);
}
