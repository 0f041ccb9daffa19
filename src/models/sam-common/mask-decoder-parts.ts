import { tf } from '../../backend/index.js';
import { activated, ConvTranspose2d, Embedding, LayerNorm, Linear, Module, TensorLayer } from '../../nn/index.js';
import type { TwoWayTransformer } from './two-way-transformer.js';

/** An MLP with ReLU: an input layer, `depth` - 2 hidden ones, an output layer. */
export class FeedForward extends TensorLayer {
  private readonly projIn: Linear;
  private readonly layers: Linear[];
  private readonly projOut: Linear;

  constructor(features: number, hidden: number, out: number, depth: number) {
    super();
    this.projIn = this.child('proj_in', new Linear(features, hidden));
    this.layers = this.childList(
      'layers',
      Array.from({ length: Math.max(0, depth - 2) }, () => new Linear(hidden, hidden)),
    );
    this.projOut = this.child('proj_out', new Linear(hidden, out));
  }

  /** Maps [..., features] to [..., out]. */
  forward(x: tf.Tensor): tf.Tensor {
    const hidden = this.layers.reduce((h, layer) => activated(layer, 'relu', h), activated(this.projIn, 'relu', x));
    return this.projOut.forward(hidden);
  }
}

/** Repeats each image's map once per prompt: [B, h, w, C] to [B * N, h, w, C]. */
export function perPrompt(maps: tf.Tensor4D, rows: number): tf.Tensor4D {
  const [b, h, w, c] = maps.shape;
  const n = rows / b;
  if (n === 1) return maps;
  return tf.reshape(tf.tile(tf.reshape(maps, [b, 1, h * w * c]), [1, n, 1]), [rows, h, w, c]);
}

/** Prepends a decoder's own tokens, [..., C] each, to every prompt's: [B, N, T, C] to [B * N, own + T, C]. */
function prependTokens(own: readonly tf.Tensor[], prompt: tf.Tensor4D): tf.Tensor3D {
  const [b, n, t, c] = prompt.shape;
  const repeated = tf.tile(tf.expandDims(tf.concat([...own], 0), 0), [b * n, 1, 1]);
  return tf.concat([repeated, tf.reshape(prompt, [b * n, t, c])], 1) as tf.Tensor3D;
}

/** One token per row: [rows, T, C] to [rows, C]. */
export function tokenAt(tokens: tf.Tensor3D, index: number): tf.Tensor2D {
  const [rows, , c] = tokens.shape;
  return tf.reshape(tokens.slice([0, index, 0], [-1, 1, -1]), [rows, c]);
}

/**
 * Masks as products of the upscaled image features with the hypernetworks' outputs for the mask tokens.
 *
 * @param networks - one per mask.
 * @param tokens - [rows, T, C] f32.
 * @param first - index of the first mask token.
 * @param upscaled - [rows, 4h * 4w, C / 8] f32.
 * @returns [rows, masks, 4h * 4w] f32 logits.
 */
export function maskProducts(
  networks: readonly FeedForward[],
  tokens: tf.Tensor3D,
  first: number,
  upscaled: tf.Tensor3D,
): tf.Tensor3D {
  const weights = tf.stack(
    networks.map((network, i) => network.forward(tokenAt(tokens, first + i))),
    1,
  ) as tf.Tensor3D; // [rows, masks, C / 8]
  return tf.matMul(weights, upscaled, false, true);
}

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
