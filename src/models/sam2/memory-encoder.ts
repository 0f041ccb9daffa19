import { tf } from '../../backend/index.js';
import {
  type Activation,
  activation,
  Conv2d,
  constant,
  DepthwiseConv2d,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
  TensorLayer,
} from '../../nn/index.js';
import type { MemoryEncoderConfig } from './video-config.js';

/** Epsilon of all norms here; fixed in the reference. */
const EPS = 1e-6;

/** A convolution that makes a mask smaller, a norm and an activation. */
class DownsamplerLayer extends TensorLayer {
  private readonly conv: Conv2d;
  private readonly norm: LayerNorm;
  private readonly activate: Activation;

  constructor(config: MemoryEncoderConfig, channels: number, out: number) {
    super();
    const { downsamplerKernelSize: kernelSize, downsamplerStride: stride, downsamplerPadding: padding } = config;
    this.conv = this.child('conv', new Conv2d(channels, out, { kernelSize, stride, padding }));
    this.norm = this.child('layer_norm', new LayerNorm(out, EPS));
    this.activate = activation(config.downsamplerHiddenAct);
  }

  /** [B, H, W, channels] to [B, H / stride, W / stride, out]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.activate(this.norm.forward(this.conv.forward(x)));
  }
}

/** Brings a mask to the size and width of the image features. */
class MaskDownsampler extends TensorLayer {
  private readonly layers: DownsamplerLayer[];
  private readonly finalConv: Conv2d;

  constructor(config: MemoryEncoderConfig) {
    super();
    const { downsamplerStride: stride, downsamplerLayers, hiddenSize } = config;
    const widths = Array.from({ length: downsamplerLayers + 1 }, (_, i) => stride ** (2 * i));
    this.layers = this.childList(
      'layers',
      widths.slice(1).map((out, i) => new DownsamplerLayer(config, widths[i] as number, out)),
    );
    this.finalConv = this.child('final_conv', new Conv2d(widths.at(-1) as number, hiddenSize, { kernelSize: 1 }));
  }

  /** [B, 16h, 16w, 1] to [B, h, w, C]. */
  forward(mask: tf.Tensor4D): tf.Tensor4D {
    return this.finalConv.forward(this.layers.reduce((x, layer) => layer.forward(x), mask));
  }
}

/** @see Liu et al. 2022, A ConvNet for the 2020s, figure 4 */
class FuserLayer extends TensorLayer {
  private readonly depthwiseConv: DepthwiseConv2d;
  private readonly norm: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly scale: Parameter;
  private readonly activate: Activation;

  constructor(config: MemoryEncoderConfig) {
    super();
    const { hiddenSize: c, fuserIntermediateDim: hidden, fuserKernelSize, fuserPadding, fuserLayerScaleInitValue } = config;
    const depthwise = { kernelSize: fuserKernelSize, padding: fuserPadding };
    this.depthwiseConv = this.child('depthwise_conv', new DepthwiseConv2d(c, depthwise));
    this.norm = this.child('layer_norm', new LayerNorm(c, EPS));
    this.expand = this.child('pointwise_conv1', new Linear(c, hidden));
    this.contract = this.child('pointwise_conv2', new Linear(hidden, c));
    this.scale = this.parameter('scale', [c], { init: constant(fuserLayerScaleInitValue) });
    this.activate = activation(config.fuserHiddenAct);
  }

  /** [B, h, w, C] to [B, h, w, C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const normed = this.norm.forward(this.depthwiseConv.forward(x));
    const mapped = this.contract.forward(this.activate(this.expand.forward(normed)));
    return tf.add(x, tf.mul(mapped, this.scale.value));
  }
}

/** The layers of the fuser, under their checkpoint name. */
class MemoryFuser extends TensorLayer {
  private readonly layers: FuserLayer[];

  constructor(config: MemoryEncoderConfig) {
    super();
    this.layers = this.childList(
      'layers',
      Array.from({ length: config.fuserNumLayers }, () => new FuserLayer(config)),
    );
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}

/**
 * Makes a memory of an image and a mask on it.
 *
 * @see Ravi et al. 2024, SAM 2, section 4, "Memory encoder"
 */
export class MemoryEncoder extends Module {
  private readonly maskDownsampler: MaskDownsampler;
  private readonly featureProjection: Conv2d;
  private readonly memoryFuser: MemoryFuser;
  private readonly projection: Conv2d;

  constructor(config: MemoryEncoderConfig) {
    super();
    const { hiddenSize: c, outputChannels } = config;
    this.maskDownsampler = this.child('mask_downsampler', new MaskDownsampler(config));
    this.featureProjection = this.child('feature_projection', new Conv2d(c, c, { kernelSize: 1 }));
    this.memoryFuser = this.child('memory_fuser', new MemoryFuser(config));
    this.projection = this.child('projection', new Conv2d(c, outputChannels, { kernelSize: 1 }));
  }

  /**
   * @param image - [B, h, w, C] f32: the image features without any memory.
   * @param mask - [B, 16h, 16w, 1] f32: probabilities, scaled and shifted.
   * @returns [B, h, w, M] f32.
   */
  forward(image: tf.Tensor4D, mask: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const { memory } = context.block(this, { image, mask }, (x) => {
      const projected = this.featureProjection.forward(x.image); // [B, h, w, C]
      const fused = this.memoryFuser.forward(tf.add(projected, this.maskDownsampler.forward(x.mask))); // [B, h, w, C]
      return { memory: this.projection.forward(fused) }; // [B, h, w, M]
    });
    return memory;
  }
}
