import type { tf } from '../../backend/index.js';
import { ConvTranspose2d, Embedding, LayerNorm, Module } from '../../nn/index.js';
import { FeedForward } from './feed-forward.js';
import { prependTokens } from './mask-products.js';
import type { TwoWayTransformer } from './two-way-transformer.js';

/** Epsilon of the norm between the two upscaling layers; fixed in the reference. */
const UPSCALE_EPS = 1e-6;

/** Sizes common to the mask decoders of SAM and SAM 2. */
export interface MaskDecoderSizes {
  readonly hiddenSize: number;
  readonly numMultimaskOutputs: number;
  readonly iouHeadDepth: number;
  readonly iouHeadHiddenDim: number;
}

/** Parts common to the mask decoders of SAM and SAM 2; subclasses define how they are used. */
export abstract class MaskDecoderParts<C extends MaskDecoderSizes> extends Module {
  readonly config: C;
  protected readonly transformer: TwoWayTransformer;
  protected readonly upscaleConv1: ConvTranspose2d;
  protected readonly upscaleNorm: LayerNorm;
  protected readonly upscaleConv2: ConvTranspose2d;
  protected readonly hypernetworks: FeedForward[];
  protected readonly iouHead: FeedForward;
  /** In the order in which they precede a prompt's tokens. */
  private readonly ownTokens: readonly Embedding[];

  /** @param leading - names of single tokens that precede those of IoU and masks. */
  constructor(config: C, transformer: TwoWayTransformer, leading: readonly string[] = []) {
    super();
    const { hiddenSize: c, numMultimaskOutputs, iouHeadDepth, iouHeadHiddenDim } = config;
    const masks = numMultimaskOutputs + 1;
    const [c4, c8] = [Math.floor(c / 4), Math.floor(c / 8)];
    this.config = config;
    const iouToken = this.child('iou_token', new Embedding(1, c, 1));
    const maskTokens = this.child('mask_tokens', new Embedding(masks, c, 1));
    this.ownTokens = [...leading.map((name) => this.child(name, new Embedding(1, c, 1))), iouToken, maskTokens];
    this.transformer = this.child('transformer', transformer);
    this.upscaleConv1 = this.child('upscale_conv1', new ConvTranspose2d(c, c4, { stride: 2 }));
    this.upscaleConv2 = this.child('upscale_conv2', new ConvTranspose2d(c4, c8, { stride: 2 }));
    this.upscaleNorm = this.child('upscale_layer_norm', new LayerNorm(c4, UPSCALE_EPS));
    this.hypernetworks = this.childList(
      'output_hypernetworks_mlps',
      Array.from({ length: masks }, () => new FeedForward(c, c, c8, 3)),
    );
    this.iouHead = this.child('iou_prediction_head', new FeedForward(c, iouHeadHiddenDim, masks, iouHeadDepth));
  }

  /** The modules that {@link withOwnTokens} reads. */
  get tokenOwners(): Module[] {
    return [...this.ownTokens];
  }

  /** Prepends the decoder's own tokens to a prompt's: [B, N, T, C] to [B * N, own + T, C]. */
  withOwnTokens(prompt: tf.Tensor4D): tf.Tensor3D {
    return prependTokens(
      this.ownTokens.map(({ weight }) => weight.value),
      prompt,
    );
  }
}
