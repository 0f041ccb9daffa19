import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, gelu } from '../../nn/index.js';
import { FeedForward, MaskDecoderParts, maskProducts, perPrompt, TwoWayTransformer, tokenAt } from '../sam-common/index.js';
import type { MaskDecoderConfig } from './config.js';
import { selectStable } from './mask-selection.js';

/** Epsilon of the transformer's norms; fixed in the reference. */
const TRANSFORMER_EPS = 1e-5;

/** Tokens that precede the mask tokens: object score, IoU. */
const LEADING_TOKENS = 2;

export interface MaskDecoderInputs {
  /** [B * N, T, C] f32: the decoder's own tokens, then the prompt's. */
  readonly tokens: tf.Tensor3D;
  /** [B * N, h * w, C] f32. */
  readonly image: tf.Tensor3D;
  /** [h * w, C] f32, a constant. */
  readonly imagePositions: tf.Tensor2D;
  /** [B, 4h, 4w, C / 8] f32. */
  readonly highRes0: tf.Tensor4D;
  /** [B, 2h, 2w, C / 4] f32. */
  readonly highRes1: tf.Tensor4D;
  /** Height and width of the image features. */
  readonly size: readonly [number, number];
  readonly multimask: boolean;
}

/** The decoder's outputs. */
export interface MaskOutputs {
  /** [B, N, M, 4h, 4w] f32 logits; M is 1, or the number of alternatives. */
  readonly predMasks: tf.Tensor5D;
  /** [B, N, M] f32 in [0, 1]. */
  readonly iouScores: tf.Tensor3D;
  /** [B, N, 1] f32. */
  readonly objectScoreLogits: tf.Tensor3D;
}

/** The decoder's outputs with what they were read from. */
export interface TokenOutputs extends MaskOutputs {
  /** [B * N, own + T, C] f32: see {@link MaskDecoder.maskTokens}. */
  readonly tokens: tf.Tensor3D;
}

/** Predicts masks, their IoU and an object score from prompt tokens and image features. */
export class MaskDecoder extends MaskDecoderParts<MaskDecoderConfig> {
  /** Project the two finest maps of the pyramid to the decoder's widths; run once per image. */
  readonly convS0: Conv2d;
  readonly convS1: Conv2d;
  private readonly objectScoreHead: FeedForward;

  constructor(config: MaskDecoderConfig) {
    super(config, transformerOf(config), ['obj_score_token']);
    const { hiddenSize: c } = config;
    this.convS0 = this.child('conv_s0', new Conv2d(c, Math.floor(c / 8), { kernelSize: 1 }));
    this.convS1 = this.child('conv_s1', new Conv2d(c, Math.floor(c / 4), { kernelSize: 1 }));
    this.objectScoreHead = this.child('pred_obj_score_head', new FeedForward(c, c, 1, 3));
  }

  /**
   * Returns the alternatives with `multimask`, otherwise the single mask; outside training, an unstable single mask is replaced
   * by the alternative with the highest predicted IoU.
   */
  forward(inputs: MaskDecoderInputs, context: ForwardContext): TokenOutputs {
    const { multimask, size, highRes0, highRes1 } = inputs;
    const { tokens, image } = this.transformer.forward(inputs.tokens, inputs.image, inputs.imagePositions, context);
    const heads = [
      this.upscaleConv1,
      this.upscaleNorm,
      this.upscaleConv2,
      ...this.hypernetworks,
      this.iouHead,
      this.objectScoreHead,
    ];
    const all = context.block(heads, { tokens, image, highRes0, highRes1 }, (x) => {
      const upscaled = this.upscale(x.image, size, x.highRes0, x.highRes1); // [B * N, 4h * 4w, C / 8]
      const { masks, scores, object } = this.heads(x.tokens, upscaled, x.highRes0);
      const part = (t: tf.Tensor, from: number, count: number) => t.slice([0, 0, from], [-1, -1, count]);
      if (!multimask && !context.training && this.config.dynamicMultimaskViaStability) return { masks, scores, object };
      const [from, count] = multimask ? [1, this.config.numMultimaskOutputs] : [0, 1];
      return { masks: part(masks, from, count), scores: part(scores, from, count), object };
    });
    const single = !multimask && !context.training && this.config.dynamicMultimaskViaStability;
    const { predMasks, iouScores } = single
      ? selectStable(all.masks as tf.Tensor5D, all.scores as tf.Tensor3D, this.config)
      : { predMasks: all.masks as tf.Tensor5D, iouScores: all.scores as tf.Tensor3D };
    return { predMasks, iouScores, objectScoreLogits: all.object as tf.Tensor3D, tokens };
  }

  /** The tokens of the alternatives with `multimask`, otherwise that of the single mask: [B * N, M, C] f32. */
  maskTokens(tokens: tf.Tensor3D, multimask: boolean): tf.Tensor3D {
    const [first, count] = multimask ? [1, this.config.numMultimaskOutputs] : [0, 1];
    return tf.slice(tokens, [0, LEADING_TOKENS + first, 0], [-1, count, -1]);
  }

  /** Image features upscaled by 4, adding the pyramid's finer maps in between. */
  private upscale(image: tf.Tensor3D, [h, w]: readonly [number, number], fine: tf.Tensor4D, middle: tf.Tensor4D): tf.Tensor3D {
    const [rows, , c] = image.shape;
    const map = tf.reshape(image, [rows, h, w, c]) as tf.Tensor4D;
    const twice = tf.add(this.upscaleConv1.forward(map), perPrompt(middle, rows)) as tf.Tensor4D; // [B * N, 2h, 2w, C / 4]
    const bent = gelu(this.upscaleNorm.forward(twice));
    const four = gelu(tf.add(this.upscaleConv2.forward(bent), perPrompt(fine, rows))); // [B * N, 4h, 4w, C / 8]
    return tf.reshape(four, [rows, 16 * h * w, -1]);
  }

  private heads(tokens: tf.Tensor3D, upscaled: tf.Tensor3D, fine: tf.Tensor4D) {
    const [b, height, width] = fine.shape;
    const lead = [b, tokens.shape[0] / b];
    const masks = maskProducts(this.hypernetworks, tokens, LEADING_TOKENS, upscaled); // [B * N, M, 4h * 4w]
    return {
      masks: tf.reshape(masks, [...lead, this.hypernetworks.length, height, width]),
      scores: tf.reshape(tf.sigmoid(this.iouHead.forward(tokenAt(tokens, 1))), [...lead, -1]),
      object: tf.reshape(this.objectScoreHead.forward(tokenAt(tokens, 0)), [...lead, 1]),
    };
  }
}

function transformerOf(config: MaskDecoderConfig): TwoWayTransformer {
  const { hiddenSize, mlpDim, numHiddenLayers } = config;
  return new TwoWayTransformer({
    ...config,
    layerDownsampleRate: config.attentionDownsampleRate,
    layerNormEps: TRANSFORMER_EPS,
    outProjection: 'o_proj',
    // In the reference the MLP has as many layers as the transformer.
    mlp: () => new FeedForward(hiddenSize, mlpDim, hiddenSize, numHiddenLayers),
  });
}
