import { tf } from '../../backend/index.js';
import {
  type BlockMode,
  dropout,
  dropPath,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  normal,
  throughHidden,
} from '../../nn/index.js';
import { cyclicShift, hasGroupAttention, padToMultiple } from '../../ops/index.js';
import type { SwinConfig } from './config.js';
import { WindowAttention } from './window-attention.js';

export interface SwinBlockOptions {
  readonly channels: number;
  readonly heads: number;
  /** Window shift in rows and columns; 0: none. */
  readonly shift: number;
  /** Probability of skipping a sample's attention in training. */
  readonly dropPathProb: number;
}

/** A transformer layer: attention in (shifted) windows, then an MLP, each with pre-norm and a residual connection. */
export class SwinBlock extends Module {
  readonly shift: number;
  private readonly config: SwinConfig;
  private readonly dropPathProb: number;
  private readonly normBefore: LayerNorm;
  private readonly attention: WindowAttention;
  private readonly normAfter: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;

  constructor(config: SwinConfig, { channels, heads, shift, dropPathProb }: SwinBlockOptions) {
    super();
    this.config = config;
    this.shift = shift;
    this.dropPathProb = dropPathProb;
    const hidden = Math.floor(config.mlpRatio * channels);
    const weightInit = normal(config.initializerRange);
    this.normBefore = this.child('layernorm_before', new LayerNorm(channels, config.layerNormEps));
    this.attention = this.child('attention', new WindowAttention(config, channels, heads));
    this.normAfter = this.child('layernorm_after', new LayerNorm(channels, config.layerNormEps));
    this.expand = this.child('intermediate.dense', new Linear(channels, hidden, { weightInit }));
    this.contract = this.child('output.dense', new Linear(hidden, channels, { weightInit }));
  }

  /**
   * @param x - [B, H, W, C] f32.
   * @param mask - {@link shiftedWindowMask} of the padded map; undefined if `shift` is 0.
   * @returns the same shape.
   */
  forward(x: tf.Tensor4D, mask: tf.Tensor3D | undefined, context: ForwardContext): tf.Tensor4D {
    const { y } = context.block(this, { x, mask }, (inputs, mode) => {
      const attended = tf.tidy(() =>
        tf.add(inputs.x, dropPath(this.attend(inputs.x, inputs.mask, mode), this.dropPathProb, mode)),
      );
      const { expand, contract } = this;
      const { hiddenAct: activate, hiddenDropoutProb: rate } = this.config;
      const drops = mode.training && rate > 0;
      const y = tf.tidy(() => {
        const normed = this.normAfter.forward(attended);
        if (!drops) return throughHidden(normed, { expand, activate, contract, addTo: attended });
        return tf.add(attended, dropout(throughHidden(normed, { expand, activate, contract }), rate, mode));
      });
      return { y: y as tf.Tensor4D };
    });
    return y;
  }

  private attend(x: tf.Tensor4D, mask: tf.Tensor3D | undefined, mode: BlockMode): tf.Tensor4D {
    const { windowSize, hiddenDropoutProb, attentionProbsDropoutProb } = this.config;
    const { shift } = this;
    const normed = this.normBefore.forward(x); // [B, H, W, C]
    const drops = mode.training && attentionProbsDropoutProb > 0;
    if (!drops && hasGroupAttention())
      return dropout(this.attention.forwardInPlace(normed, mask, shift), hiddenDropoutProb, mode);
    const padded = padToMultiple(normed, windowSize); // [B, H', W', C]
    const shifted = shift === 0 ? padded : cyclicShift(padded, [-shift, -shift]);
    const attended = dropout(this.attention.forward(shifted, mask, mode), hiddenDropoutProb, mode);
    const back = shift === 0 ? attended : cyclicShift(attended, [shift, shift]);
    return padded.shape.join() === x.shape.join() ? back : tf.slice(back, [0, 0, 0, 0], x.shape);
  }
}
