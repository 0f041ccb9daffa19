import { tf } from '../../backend/index.js';
import { type ForwardContext, gelu } from '../../nn/index.js';
import { MaskDecoderParts, maskProducts, TwoWayTransformer, tokenAt } from '../sam-common/index.js';
import { MlpBlock } from '../vit/index.js';
import { LAYER_DOWNSAMPLE_RATE, type SamMaskDecoderConfig } from './config.js';

export interface MaskDecoderInputs {
  /** [B * N, T, C] f32: the decoder's own tokens, then the prompt's. */
  readonly tokens: tf.Tensor3D;
  /** [B * N, h * w, C] f32. */
  readonly image: tf.Tensor3D;
  /** [h * w, C] f32, a constant. */
  readonly imagePositions: tf.Tensor2D;
  /** Number of images, and height and width of their features. */
  readonly size: readonly [number, number, number];
  readonly multimask: boolean;
}

/** The decoder's outputs. */
export interface SamMaskOutputs {
  /** [B, N, M, 4h, 4w] f32 logits; M is 1, or the number of alternatives. */
  readonly predMasks: tf.Tensor5D;
  /** [B, N, M] f32, not clamped to [0, 1]. */
  readonly iouScores: tf.Tensor3D;
}

/** Predicts masks and their IoU from prompt tokens and image features. */
export class MaskDecoder extends MaskDecoderParts<SamMaskDecoderConfig> {
  constructor(config: SamMaskDecoderConfig) {
    super(config, transformerOf(config));
  }

  /** Returns the alternatives with `multimask`, otherwise the single mask. */
  forward({ multimask, size: [b, h, w], ...inputs }: MaskDecoderInputs, context: ForwardContext): SamMaskOutputs {
    const { tokens, image } = this.transformer.forward(inputs.tokens, inputs.image, inputs.imagePositions, context);
    const heads = [this.upscaleConv1, this.upscaleNorm, this.upscaleConv2, ...this.hypernetworks, this.iouHead];
    const [from, count] = multimask ? [1, this.config.numMultimaskOutputs] : [0, 1];
    const n = tokens.shape[0] / b;
    return context.block(heads, { tokens, image }, (x) => {
      const upscaled = this.upscale(x.image, h, w); // [B * N, 4h * 4w, C / 8]
      // Only the hypernetworks of the requested masks are run.
      const masks = maskProducts(this.hypernetworks.slice(from, from + count), x.tokens, 1 + from, upscaled); // [B * N, M, 4h * 4w]
      const scores = this.iouHead.forward(tokenAt(x.tokens, 0)).slice([0, from], [-1, count]); // [B * N, M]
      return {
        predMasks: tf.reshape(masks, [b, n, count, 4 * h, 4 * w]) as tf.Tensor5D,
        iouScores: tf.reshape(scores, [b, n, count]) as tf.Tensor3D,
      };
    });
  }

  /** Image features upscaled by 4. */
  private upscale(image: tf.Tensor3D, h: number, w: number): tf.Tensor3D {
    const [rows, , c] = image.shape;
    const map = tf.reshape(image, [rows, h, w, c]) as tf.Tensor4D;
    const twice = gelu(this.upscaleNorm.forward(this.upscaleConv1.forward(map))); // [B * N, 2h, 2w, C / 4]
    const four = gelu(this.upscaleConv2.forward(twice)); // [B * N, 4h, 4w, C / 8]
    return tf.reshape(four, [rows, 16 * h * w, -1]);
  }
}

function transformerOf(config: SamMaskDecoderConfig): TwoWayTransformer {
  const { hiddenSize, mlpDim, hiddenAct } = config;
  return new TwoWayTransformer({
    ...config,
    layerDownsampleRate: LAYER_DOWNSAMPLE_RATE,
    outProjection: 'out_proj',
    mlp: () => new MlpBlock(hiddenSize, mlpDim, hiddenAct),
  });
}
