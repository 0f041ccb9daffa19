import { largestTensorBytes, tf } from '../../backend/index.js';
import { Linear, Module } from '../../nn/index.js';
import { attend, groupAttention, hasGroupAttention, windowRows } from '../../ops/index.js';

export interface MultiScaleAttentionOptions {
  readonly dim: number;
  readonly dimOut: number;
  readonly heads: number;
  /** Rows and columns of queries that are pooled into one. */
  readonly queryStride: readonly [number, number] | undefined;
}

/** Self-attention within windows whose queries may be pooled, so that the result is a smaller map. */
export class MultiScaleAttention extends Module {
  private readonly qkv: Linear;
  private readonly proj: Linear;
  private readonly heads: number;
  private readonly queryStride: readonly [number, number] | undefined;

  constructor({ dim, dimOut, heads, queryStride }: MultiScaleAttentionOptions) {
    super();
    this.qkv = this.child('qkv', new Linear(dim, 3 * dimOut));
    this.proj = this.child('proj', new Linear(dimOut, dimOut));
    this.heads = heads;
    this.queryStride = queryStride;
  }

  /**
   * @param x - [B, h, w, dim] f32: windows, or whole maps.
   * @returns [B, h', w', dimOut], pooled by the query stride.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, dim] = x.shape;
    const together = Math.max(1, Math.floor(largestTensorBytes() / (4 * h * w * this.qkv.outFeatures)));
    if (together >= b) return this.forwardTogether(x);
    // Where the device holds no tensor of all queries, keys and values.
    const parts = Array.from({ length: Math.ceil(b / together) }, (_, i) =>
      tf.tidy(() => {
        const count = Math.min(together, b - i * together);
        return this.forwardTogether(tf.slice(x, [i * together, 0, 0, 0], [count, h, w, dim]));
      }),
    );
    return tf.concat(parts, 0);
  }

  private forwardTogether(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const [query, key, value] = tf.split(this.qkv.forward(tf.reshape(x, [b, h * w, -1])), 3, -1) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ]; // [B, hw, dimOut] each
    const pooled = maxPool(tf.reshape(query, [b, h, w, -1]) as tf.Tensor4D, this.queryStride); // [B, h', w', dimOut]
    const [, h2, w2, dimOut] = pooled.shape;
    const attended = attend({ query: tf.reshape(pooled, [b, h2 * w2, dimOut]), key, value, heads: this.heads });
    return tf.reshape(this.proj.forward(attended), [b, h2, w2, dimOut]); // [B, h', w', dimOut]
  }

  /** Whether {@link forwardInPlace} can do it: not where pooling would mix tokens with padding, or cut a window apart. */
  canRunInPlace(x: tf.Tensor4D, size: number): boolean {
    const [, h, w] = x.shape;
    const [dy, dx] = this.queryStride ?? [1, 1];
    return hasGroupAttention() && dy === dx && h % dy === 0 && w % dx === 0 && size % dy === 0;
  }

  /**
   * The same on whole maps whose windows are read from where they lie. Padding is what the projection makes of zeros, its bias.
   *
   * @param x - [B, H, W, dim] f32, of any sides.
   * @param size - side of a window; 0: each map is one.
   * @returns [B, H', W', dimOut] f32, pooled by the query stride.
   */
  forwardInPlace(x: tf.Tensor4D, size: number): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const projected = this.qkv.forward(x) as tf.Tensor4D; // [B, H, W, 3 dimOut]
    const dimOut = projected.shape[3] / 3;
    const stride = this.queryStride?.[0] ?? 1;
    const query = stride === 1 ? projected : maxPool(tf.slice(projected, [0, 0, 0, 0], [b, h, w, dimOut]), this.queryStride);
    const [, h2, w2] = query.shape;
    const groups = (sides: readonly [number, number], side: number) => {
      if (side === 0) return { count: b };
      const rows = windowRows([b, ...sides], side);
      return { count: rows.length / side ** 2, rows };
    };
    const bias = this.qkv.bias?.value;
    const attended = groupAttention({
      query,
      key: projected,
      value: projected,
      offsets: [0, dimOut, 2 * dimOut],
      heads: this.heads,
      depth: dimOut / this.heads,
      queryGroups: groups([h2, w2], size / stride),
      keyGroups: groups([h, w], size),
      padding: bias && [tf.slice(bias, dimOut, dimOut), tf.slice(bias, 2 * dimOut, dimOut)],
    });
    return this.proj.forward(attended.reshape([b, h2, w2, dimOut])) as tf.Tensor4D;
  }
}

/** The largest value of each cell of `stride` rows and columns; incomplete cells are dropped. */
export function maxPool(x: tf.Tensor4D, stride: readonly [number, number] | undefined): tf.Tensor4D {
  return stride === undefined ? x : tf.maxPool(x, [...stride], [...stride], 'valid');
}
