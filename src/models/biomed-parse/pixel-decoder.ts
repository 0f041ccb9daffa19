import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, GroupNorm, LayerNorm, Linear, Module, throughHidden } from '../../nn/index.js';
import { sinePositionEmbedding } from '../../ops/index.js';
import { Attention } from './attention.js';
import type { BiomedParseConfig } from './config.js';

/** Base of the wavelengths of positions; fixed in the reference. */
const TEMPERATURE = 10_000;

/** Maps of the pyramid. */
export interface PixelFeatures {
  /** [B, H / 4, W / 4, mask size] f32. */
  readonly maskFeatures: tf.Tensor4D;
  /** The three coarsest levels, coarsest first: [B, h, w, C] f32. */
  readonly levels: readonly tf.Tensor4D[];
}

/**
 * A feature pyramid whose coarsest map passes a transformer first.
 *
 * @see Cheng et al. 2021, Per-Pixel Classification is Not All You Need; microsoft/BiomedParse,
 *   `modeling/vision/encoder/transformer_encoder_fpn.py`
 */
export class PixelDecoder extends Module {
  private readonly inputProj: Conv2d;
  private readonly layers: EncoderLayer[];
  /** Convolutions of each stage's map and of the sum with the coarser one, finest first; the coarsest has no first one. */
  private readonly adapters: NormedConv2d[];
  private readonly outputs: NormedConv2d[];
  private readonly maskFeatures: Conv2d;
  private readonly channels: number;

  /** @param stages - channels of the backbone's maps, finest first. */
  constructor(config: BiomedParseConfig, stages: readonly number[]) {
    super();
    const { hiddenSize: c, maskSize, normGroups, encoderLayers } = config;
    this.channels = c;
    const coarsest = stages.at(-1) as number;
    this.inputProj = this.child('input_proj', new Conv2d(coarsest, c, { kernelSize: 1 }));
    this.layers = this.childList(
      'transformer.encoder.layers',
      Array.from({ length: encoderLayers }, () => new EncoderLayer(config)),
    );
    this.adapters = stages
      .slice(0, -1)
      .map((channels, i) => this.child(`adapter_${i + 1}`, new NormedConv2d(channels, c, { kernelSize: 1, groups: normGroups })));
    this.outputs = stages.map((_, i) =>
      this.child(`layer_${i + 1}`, new NormedConv2d(c, c, { kernelSize: 3, groups: normGroups })),
    );
    this.maskFeatures = this.child('mask_features', new Conv2d(c, maskSize, { kernelSize: 3, padding: 1 }));
  }

  /** @param stages - maps of the backbone, finest first, each of half the size of the one before. */
  forward(stages: readonly tf.Tensor4D[], context: ForwardContext): PixelFeatures {
    const last = stages.length - 1;
    const output = this.outputs[last] as NormedConv2d;
    const encoded = this.encode(stages[last] as tf.Tensor4D, context); // [B, h, w, C]
    let above = context.block(output, { encoded }, (given) => ({ y: tf.relu(output.forward(given.encoded)) })).y;
    const pyramid = [above];
    for (let i = last - 1; i >= 0; i--) {
      const [adapter, smooth] = [this.adapters[i], this.outputs[i]] as [NormedConv2d, NormedConv2d];
      above = context.block([smooth, adapter], { x: stages[i] as tf.Tensor4D, above }, (given) => {
        const sum = tf.add(adapter.forward(given.x), doubled(given.above)) as tf.Tensor4D; // [B, h, w, C]
        return { y: tf.relu(smooth.forward(sum)) };
      }).y;
      pyramid.push(above);
    }
    const { maskFeatures } = context.block(this.maskFeatures, { above }, (given) => ({
      maskFeatures: this.maskFeatures.forward(given.above), // [B, H / 4, W / 4, mask size]
    }));
    return { maskFeatures, levels: pyramid.slice(0, 3) };
  }

  /** The transformer on the coarsest map: [B, h, w, channels] to [B, h, w, C]. */
  private encode(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const { channels: c } = this;
    const positions = positionsOf([h, w], c);
    const { tokens } = context.block(this.inputProj, { x }, (given) => ({
      tokens: tf.reshape(this.inputProj.forward(given.x), [b, h * w, c]) as tf.Tensor3D,
    }));
    const encoded = this.layers.reduce((y, layer) => layer.forward(y, positions, context), tokens); // [B, h w, C]
    return context.block([], { encoded }, (given) => ({ map: tf.reshape(given.encoded, [b, h, w, c]) as tf.Tensor4D })).map;
  }
}

/** Encoded positions of a map's cells, [1, h * w, channels] f32. */
export function positionsOf([h, w]: readonly [number, number], channels: number): tf.Tensor3D {
  return tf.tidy(() => sinePositionEmbedding(tf.ones([1, h, w]), channels, TEMPERATURE));
}

/** A convolution without bias that keeps the size of a map, and a norm over groups of channels. */
class NormedConv2d extends Conv2d {
  private readonly norm: GroupNorm;

  constructor(
    inChannels: number,
    outChannels: number,
    { kernelSize, groups }: { readonly kernelSize: number; readonly groups: number },
  ) {
    super(inChannels, outChannels, { kernelSize, padding: (kernelSize - 1) / 2, bias: false });
    this.norm = this.child('norm', new GroupNorm(groups, outChannels));
  }

  override forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.norm.forward(super.forward(x));
  }
}

/** Self-attention with positions, then an MLP, each with a residual connection and a norm after it. */
class EncoderLayer extends Module {
  private readonly attention: Attention;
  private readonly norm1: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly norm2: LayerNorm;

  constructor({ hiddenSize, numAttentionHeads, intermediateSize }: BiomedParseConfig) {
    super();
    this.attention = this.child('self_attn', new Attention(hiddenSize, numAttentionHeads));
    this.norm1 = this.child('norm1', new LayerNorm(hiddenSize));
    this.expand = this.child('linear1', new Linear(hiddenSize, intermediateSize));
    this.contract = this.child('linear2', new Linear(intermediateSize, hiddenSize));
    this.norm2 = this.child('norm2', new LayerNorm(hiddenSize));
  }

  /** x [B, N, C] and positions [1, N, C] to the shape of x. */
  forward(x: tf.Tensor3D, positions: tf.Tensor3D, context: ForwardContext): tf.Tensor3D {
    return context.block(this, { x, positions }, (given) => {
      const placed = tf.add(given.x, given.positions);
      const attended = this.attention.forward({ query: placed, key: placed, value: given.x });
      const seen = this.norm1.forward(tf.add(given.x, attended)); // [B, N, C]
      const { expand, contract } = this;
      return { y: this.norm2.forward(throughHidden(seen, { expand, activate: 'relu', contract, addTo: seen })) as tf.Tensor3D };
    }).y;
  }
}

/** Nearest-neighbour upsampling by 2. */
function doubled(x: tf.Tensor4D): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  // In two steps: the gradient of tile is limited to rank 4.
  const wide = tf.tile(tf.reshape(x, [b * h * w, 1, c]), [1, 2, 1]);
  return tf.reshape(tf.tile(tf.reshape(wide, [b * h, 1, 2 * w * c]), [1, 2, 1]), [b, 2 * h, 2 * w, c]);
}
