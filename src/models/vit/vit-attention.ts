import { largestTensorSize, tf } from '../../backend/index.js';
import { Linear, type Parameter, TensorLayer, zeros } from '../../nn/index.js';
import { joinWindows, scaledDotProductAttention, splitWindows } from '../../ops/index.js';
import type { VitConfig } from './config.js';
import { placesOfTokens, relativeScores } from './relative-positions.js';

/** Maximum number of scores held at once: 256 MB. A map of 64x64 has 16.8 million per head. */
const LARGEST_SCORES = 2 ** 26;

/**
 * Self-attention within square windows, or over a whole map as a single window, with decomposed relative positions. Like the
 * reference's default kernel, it has no dropout on the scores.
 */
export class VitAttention extends TensorLayer {
  private readonly qkv: Linear;
  private readonly proj: Linear;
  private readonly relPos: { readonly rows: Parameter; readonly columns: Parameter } | undefined;
  private readonly heads: number;
  private readonly size: number;

  /** @param size - side of a window in tokens. */
  constructor({ hiddenSize, numAttentionHeads, qkvBias, useRelPos }: VitConfig, size: number) {
    super();
    this.size = size;
    this.heads = numAttentionHeads;
    this.qkv = this.child('qkv', new Linear(hiddenSize, 3 * hiddenSize, { bias: qkvBias }));
    this.proj = this.child('proj', new Linear(hiddenSize, hiddenSize));
    const table = (name: string) => this.parameter(name, [2 * size - 1, hiddenSize / numAttentionHeads], { init: zeros });
    this.relPos = useRelPos ? { rows: table('rel_pos_h'), columns: table('rel_pos_w') } : undefined;
  }

  /**
   * @param x - [B, H, W, C] f32, both sides multiples of the window size.
   * @returns the same shape.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [, h, w] = x.shape;
    const [query, key, value] = tf
      .split<tf.Tensor4D>(this.qkv.forward(x) as tf.Tensor4D, 3, -1)
      .map((part) => splitWindows(part, this.size, this.heads)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // [B * windows, heads, size², d]
    const largestScores = Math.min(LARGEST_SCORES, largestTensorSize());
    const attended = scaledDotProductAttention({ ...this.withPositions(query, key), value, scale: 1, largestScores }); // [B * windows, heads, size², d]
    return this.proj.forward(joinWindows(attended, this.size, [h, w])) as tf.Tensor4D;
  }

  /**
   * Scaled queries, and keys, whose products are the scores.
   *
   * The relative positions add two numbers to a score: one of the query and the key's row, one of the query and the key's column.
   * They are appended to the queries, and one-hot rows and columns to the keys, so that a single product yields the complete
   * scores, without a table over all pairs, which would be as large as the scores.
   */
  private withPositions(query: tf.Tensor4D, key: tf.Tensor4D): { query: tf.Tensor4D; key: tf.Tensor4D } {
    const [n, heads, area, d] = query.shape;
    const scaled = tf.mul(query, 1 / Math.sqrt(d)) as tf.Tensor4D;
    if (this.relPos === undefined) return { query: scaled, key };
    const { rows, columns } = this.relPos;
    const added = relativeScores(query, rows.value, columns.value, this.size); // [n, heads, area, 2 size]
    const places = tf.tile(tf.reshape(placesOfTokens(this.size), [1, 1, area, 2 * this.size]), [n, heads, 1, 1]);
    return {
      query: tf.concat([scaled, added], -1) as tf.Tensor4D,
      key: tf.concat([key, places], -1) as tf.Tensor4D,
    };
  }
}
