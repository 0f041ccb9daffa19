import type { tf } from '../../backend/index.js';
import { type Activation, type ActivationName, activation, Conv2d, LayerNorm, TensorLayer } from '../../nn/index.js';

export interface MaskEmbeddingOptions {
  readonly maskInputChannels: number;
  readonly hiddenSize: number;
  readonly layerNormEps: number;
  readonly hiddenAct: ActivationName;
}

/** Downscales mask logits by 4 and embeds them in the decoder's channels. */
export class MaskEmbedding extends TensorLayer {
  private readonly conv1: Conv2d;
  private readonly norm1: LayerNorm;
  private readonly conv2: Conv2d;
  private readonly norm2: LayerNorm;
  private readonly conv3: Conv2d;
  private readonly activate: Activation;

  constructor({ maskInputChannels, hiddenSize, layerNormEps, hiddenAct }: MaskEmbeddingOptions) {
    super();
    const few = Math.floor(maskInputChannels / 4);
    this.conv1 = this.child('conv1', new Conv2d(1, few, { kernelSize: 2, stride: 2 }));
    this.norm1 = this.child('layer_norm1', new LayerNorm(few, layerNormEps));
    this.conv2 = this.child('conv2', new Conv2d(few, maskInputChannels, { kernelSize: 2, stride: 2 }));
    this.norm2 = this.child('layer_norm2', new LayerNorm(few * 4, layerNormEps));
    this.conv3 = this.child('conv3', new Conv2d(maskInputChannels, hiddenSize, { kernelSize: 1 }));
    this.activate = activation(hiddenAct);
  }

  /** [B, 4h, 4w, 1] to [B, h, w, C]. */
  forward(masks: tf.Tensor4D): tf.Tensor4D {
    const half = this.activate(this.norm1.forward(this.conv1.forward(masks)));
    const quarter = this.activate(this.norm2.forward(this.conv2.forward(half)));
    return this.conv3.forward(quarter);
  }
}
