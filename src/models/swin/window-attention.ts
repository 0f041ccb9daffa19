import { tf } from '../../backend/index.js';
import { type BlockMode, dropout, Linear, Module, normal, type Parameter } from '../../nn/index.js';
import { groupAttention, joinWindows, relativePositionIndex, splitWindows, windowRows } from '../../ops/index.js';
import type { SwinConfig } from './config.js';

/** Multi-head self-attention inside each window, with a learned bias for each relative position of two tokens. */
export class WindowAttention extends Module {
  private readonly windowSize: number;
  private readonly heads: number;
  private readonly dropoutProb: number;
  private readonly query: Linear;
  private readonly key: Linear;
  private readonly value: Linear;
  private readonly out: Linear;
  private readonly biasTable: Parameter;
  private readonly biasIndex: Int32Array;

  constructor(config: SwinConfig, channels: number, heads: number) {
    super();
    const { windowSize, qkvBias, initializerRange, attentionProbsDropoutProb } = config;
    this.windowSize = windowSize;
    this.heads = heads;
    this.dropoutProb = attentionProbsDropoutProb;
    const weightInit = normal(initializerRange);
    this.query = this.child('self.query', new Linear(channels, channels, { bias: qkvBias, weightInit }));
    this.key = this.child('self.key', new Linear(channels, channels, { bias: qkvBias, weightInit }));
    this.value = this.child('self.value', new Linear(channels, channels, { bias: qkvBias, weightInit }));
    this.out = this.child('output.dense', new Linear(channels, channels, { weightInit }));
    this.biasTable = this.parameter('self.relative_position_bias_table', [(2 * windowSize - 1) ** 2, heads], {
      init: weightInit,
    });
    this.biasIndex = relativePositionIndex(windowSize);
  }

  /**
   * @param x - [B, H, W, C] f32, both sides multiples of the window size.
   * @param mask - [windows, tokens, tokens] f32, added to the scores; undefined if the map was not shifted.
   * @returns [B, H, W, C] f32.
   */
  forward(x: tf.Tensor4D, mask: tf.Tensor | undefined, mode: BlockMode): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const { heads, windowSize } = this;
    const tokens = windowSize * windowSize;
    const split = (projected: tf.Tensor) => splitWindows(projected as tf.Tensor4D, windowSize, heads); // [B * windows, heads, N, d]
    const query = tf.mul(split(this.query.forward(x)), 1 / Math.sqrt(c / heads));
    const key = split(this.key.forward(x));
    const value = split(this.value.forward(x));
    const scores = tf.matMul(query, key, false, true); // [B * windows, heads, N, N]
    const groups: [number, number] = mask === undefined ? [scores.shape[0], heads] : [b, (scores.shape[0] / b) * heads];
    const biased = tf.add(tf.reshape(scores, [...groups, tokens, tokens]), this.bias(mask));
    const weights = dropout(tf.softmax(biased), this.dropoutProb, mode);
    const mixed = tf.matMul(tf.reshape(weights, scores.shape), value) as tf.Tensor4D; // [B * windows, heads, N, d]
    return this.out.forward(joinWindows(mixed, windowSize, [h, w])) as tf.Tensor4D; // [B, H, W, C]
  }

  /**
   * Same as `forward` on an unpadded, unshifted map, if {@link hasGroupAttention}: windows are read in place rather than padded,
   * shifted and cut out. Padding tokens project to the biases, as their input is zero.
   *
   * @param x - [B, H, W, C] f32, of any size.
   * @param mask - as for {@link forward}.
   * @param shift - offset of the windows downwards and to the right, in rows and columns.
   * @returns [B, H, W, C] f32.
   */
  forwardInPlace(x: tf.Tensor4D, mask: tf.Tensor3D | undefined, shift: number): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const rows = windowRows([b, h, w], this.windowSize, shift);
    const groups = { count: rows.length / this.windowSize ** 2, rows };
    const attended = groupAttention({
      query: this.query.forward(x),
      key: this.key.forward(x),
      value: this.value.forward(x),
      heads: this.heads,
      depth: c / this.heads,
      queryGroups: groups,
      keyGroups: groups,
      padding: [this.key.bias?.value ?? tf.zeros([c]), this.value.bias?.value ?? tf.zeros([c])],
      bias: tf.squeeze(this.bias(undefined), [0]),
      mask,
      precision: this.query.precision,
    });
    return this.out.forward(attended.reshape([b, h, w, c])) as tf.Tensor4D;
  }

  /** [1, heads, N, N], or with a mask [1, windows * heads, N, N]. */
  private bias(mask: tf.Tensor | undefined): tf.Tensor4D {
    const tokens = this.windowSize * this.windowSize;
    const pairs = tf.gather(this.biasTable.value, tf.tensor1d(this.biasIndex, 'int32')); // [N * N, heads]
    const bias: tf.Tensor4D = tf.reshape(tf.transpose(pairs), [1, this.heads, tokens, tokens]);
    if (mask === undefined) return bias;
    const windows = mask.shape[0] as number;
    return tf.reshape(tf.add(bias, tf.reshape(mask, [windows, 1, tokens, tokens])), [1, windows * this.heads, tokens, tokens]);
  }
}
