import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, Linear, Module } from '../../nn/index.js';
import { attend } from '../../ops/index.js';

export interface TwoWayTransformerOptions {
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Reduction of the inner width of the final token-to-image attention. */
  readonly attentionDownsampleRate: number;
  /** Reduction of the inner width of the layers' cross-attention. */
  readonly layerDownsampleRate: number;
  /** Epsilon of the layers' norms; the final norm uses torch's default. */
  readonly layerNormEps: number;
  /** Name of attention's output projection in checkpoints. */
  readonly outProjection: 'o_proj' | 'out_proj';
  /** The MLP of each layer. */
  readonly mlp: () => Module & { forward(x: tf.Tensor): tf.Tensor };
}

/** Attention whose inner width may be smaller than that of the features. */
class DownsampledAttention extends Module {
  private readonly qProj: Linear;
  private readonly kProj: Linear;
  private readonly vProj: Linear;
  private readonly oProj: Linear;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads, outProjection }: TwoWayTransformerOptions, downsampleRate: number) {
    super();
    const inner = Math.floor(hiddenSize / downsampleRate);
    this.heads = numAttentionHeads;
    this.qProj = this.child('q_proj', new Linear(hiddenSize, inner));
    this.kProj = this.child('k_proj', new Linear(hiddenSize, inner));
    this.vProj = this.child('v_proj', new Linear(hiddenSize, inner));
    this.oProj = this.child(outProjection, new Linear(inner, hiddenSize));
  }

  /** query [B, N, C], key and value [B, M, C] to [B, N, C]. */
  forward(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor): tf.Tensor3D {
    const attended = attend({
      query: this.qProj.forward(query),
      key: this.kProj.forward(key),
      value: this.vProj.forward(value),
      heads: this.heads,
      precision: this.qProj.precision,
    });
    return this.oProj.forward(attended) as tf.Tensor3D;
  }
}

/** Tokens and image features, both [B, n, C]. */
interface TokensAndImage {
  readonly tokens: tf.Tensor3D;
  readonly image: tf.Tensor3D;
}

/** Position encodings that every layer adds again: the initial tokens, and those of the image features. */
interface Positions {
  /** [B, T, C]. */
  readonly tokenPositions: tf.Tensor3D;
  /** [hw, C]. */
  readonly imagePositions: tf.Tensor2D;
}

/** Self-attention of tokens, token-to-image attention, MLP, and image-to-token attention. */
class TwoWayLayer extends Module {
  private readonly selfAttn: DownsampledAttention;
  private readonly norm1: LayerNorm;
  private readonly tokenToImage: DownsampledAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: ReturnType<TwoWayTransformerOptions['mlp']>;
  private readonly norm3: LayerNorm;
  private readonly imageToToken: DownsampledAttention;
  private readonly norm4: LayerNorm;
  private readonly first: boolean;

  constructor(options: TwoWayTransformerOptions, first: boolean) {
    super();
    const { hiddenSize, layerDownsampleRate, layerNormEps } = options;
    this.first = first;
    this.selfAttn = this.child('self_attn', new DownsampledAttention(options, 1));
    this.norm1 = this.child('layer_norm1', new LayerNorm(hiddenSize, layerNormEps));
    this.tokenToImage = this.child('cross_attn_token_to_image', new DownsampledAttention(options, layerDownsampleRate));
    this.norm2 = this.child('layer_norm2', new LayerNorm(hiddenSize, layerNormEps));
    this.mlp = this.child('mlp', options.mlp());
    this.norm3 = this.child('layer_norm3', new LayerNorm(hiddenSize, layerNormEps));
    this.norm4 = this.child('layer_norm4', new LayerNorm(hiddenSize, layerNormEps));
    this.imageToToken = this.child('cross_attn_image_to_token', new DownsampledAttention(options, layerDownsampleRate));
  }

  forward({ tokens, image }: TokensAndImage, { tokenPositions, imagePositions }: Positions): TokensAndImage {
    const placed = tf.add(tokens, tokenPositions);
    // In the first layer the tokens are their own positions: attention replaces them instead of being added.
    const own = this.first
      ? this.selfAttn.forward(tokens, tokens, tokens)
      : tf.add(tokens, this.selfAttn.forward(placed, placed, tokens));
    const settled = this.norm1.forward(own); // [B, T, C]
    const keys = tf.add(image, imagePositions);
    const seen = this.norm2.forward(tf.add(settled, this.tokenToImage.forward(tf.add(settled, tokenPositions), keys, image)));
    const thought = this.norm3.forward(tf.add(seen, this.mlp.forward(seen))) as tf.Tensor3D; // [B, T, C]
    const answered = this.imageToToken.forward(keys, tf.add(thought, tokenPositions), thought);
    return { tokens: thought, image: this.norm4.forward(tf.add(image, answered)) as tf.Tensor3D };
  }
}

/** @see Kirillov et al. 2023, Segment Anything, appendix A, "Lightweight mask decoder" */
export class TwoWayTransformer extends Module {
  private readonly layers: TwoWayLayer[];
  private readonly finalAttn: DownsampledAttention;
  private readonly finalNorm: LayerNorm;

  constructor(options: TwoWayTransformerOptions) {
    super();
    this.layers = this.childList(
      'layers',
      Array.from({ length: options.numHiddenLayers }, (_, i) => new TwoWayLayer(options, i === 0)),
    );
    this.finalAttn = this.child('final_attn_token_to_image', new DownsampledAttention(options, options.attentionDownsampleRate));
    this.finalNorm = this.child('layer_norm_final_attn', new LayerNorm(options.hiddenSize));
  }

  /**
   * @param tokens - [B, T, C] f32.
   * @param image - [B, hw, C] f32.
   * @param imagePositions - [hw, C] f32, a constant.
   */
  forward(tokens: tf.Tensor3D, image: tf.Tensor3D, imagePositions: tf.Tensor2D, context: ForwardContext): TokensAndImage {
    let state: TokensAndImage = { tokens, image };
    for (const layer of this.layers) {
      const inputs = { tokens: state.tokens, image: state.image, tokenPositions: tokens, imagePositions };
      state = context.block(layer, inputs, (x) => ({ ...layer.forward(x, x) }));
    }
    const own = [this.finalAttn, this.finalNorm];
    const { answer } = context.block(
      own,
      { tokens: state.tokens, image: state.image, tokenPositions: tokens, imagePositions },
      (x) => {
        const keys = tf.add(x.image, x.imagePositions);
        const attended = this.finalAttn.forward(tf.add(x.tokens, x.tokenPositions), keys, x.image);
        return { answer: this.finalNorm.forward(tf.add(x.tokens, attended)) as tf.Tensor3D };
      },
    );
    return { tokens: answer, image: state.image };
  }
}
