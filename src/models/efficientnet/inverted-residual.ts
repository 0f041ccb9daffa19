import { tf } from '../../backend/index.js';
import { type ForwardContext, FrozenBatchNorm, relu6, TensorLayer } from '../../nn/index.js';
import { DepthwiseConvolution, PointwiseConvolution } from './convolutions.js';

/** Added to the variance of every norm. */
export const NORM_EPS = 1e-3;

/** Of one block. */
export interface BlockOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** 1: without the convolution that widens. */
  readonly expansion: number;
  readonly kernelSize: number;
  readonly stride: number;
}

/**
 * MobileNetV2's block: widens each cell, convolves each channel by itself, and narrows each cell again. Blocks that change neither
 * size nor width add their input. Names are timm's `InvertedResidual`, and `DepthwiseSeparableConv` where nothing is widened.
 *
 * @see Sandler et al. 2018, "MobileNetV2"
 */
export class InvertedResidual extends TensorLayer {
  private readonly widening: PointwiseConvolution | undefined;
  private readonly widened: FrozenBatchNorm | undefined;
  private readonly depthwise: DepthwiseConvolution;
  private readonly convolved: FrozenBatchNorm;
  private readonly narrowing: PointwiseConvolution;
  private readonly narrowed: FrozenBatchNorm;
  private readonly adds: boolean;

  constructor({ inChannels, outChannels, expansion, kernelSize, stride }: BlockOptions) {
    super();
    const inner = inChannels * expansion;
    const widens = expansion !== 1;
    const norm = (name: string, channels: number) => this.child(name, new FrozenBatchNorm(channels, NORM_EPS));
    this.adds = stride === 1 && inChannels === outChannels;
    this.widening = widens ? this.child('conv_pw', new PointwiseConvolution(inChannels, inner)) : undefined;
    this.widened = widens ? norm('bn1', inner) : undefined;
    this.depthwise = this.child('conv_dw', new DepthwiseConvolution(inner, kernelSize, stride));
    this.convolved = norm(widens ? 'bn2' : 'bn1', inner);
    this.narrowing = this.child(widens ? 'conv_pwl' : 'conv_pw', new PointwiseConvolution(inner, outChannels));
    this.narrowed = norm(widens ? 'bn3' : 'bn2', outChannels);
  }

  /**
   * @param x - [B, H, W, in] f32.
   * @returns [B, ceil(H / stride), ceil(W / stride), out] f32.
   */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return context.block(this, { x }, (inputs) => {
      const wide = this.widening && this.widened ? relu6(this.widening.forward(inputs.x, this.widened)) : inputs.x;
      const convolved = relu6(this.depthwise.forward(wide, this.convolved)); // [B, H / stride, W / stride, inner]
      const y = this.narrowing.forward(convolved, this.narrowed);
      return { y: this.adds ? (tf.add(inputs.x, y) as tf.Tensor4D) : y };
    }).y;
  }
}
