import { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, Module } from '../../nn/index.js';
import type { NeckConfig } from './config.js';

/** A feature pyramid: projects every stage to the same channels and adds coarse maps to finer ones. */
export class Neck extends Module {
  /** Coarsest stage first, as the checkpoint numbers them. */
  private readonly convs: Conv2d[];
  private readonly config: NeckConfig;

  constructor(config: NeckConfig) {
    super();
    const { backboneChannelList, fpnHiddenSize, fpnKernelSize: kernelSize, fpnStride: stride, fpnPadding: padding } = config;
    this.config = config;
    this.convs = this.childList(
      'convs',
      backboneChannelList.map((channels) => new Conv2d(channels, fpnHiddenSize, { kernelSize, stride, padding })),
    );
  }

  /**
   * @param stages - maps of the backbone, finest first.
   * @returns the finest `numFeatureLevels` maps of the pyramid, finest first.
   */
  forward(stages: readonly tf.Tensor4D[], context: ForwardContext): tf.Tensor4D[] {
    const { fpnTopDownLevels, numFeatureLevels } = this.config;
    const last = this.convs.length - 1;
    const pyramid: tf.Tensor4D[] = [];
    let above: tf.Tensor4D | undefined;
    for (let i = last; i >= 0; i--) {
      const conv = this.convs[last - i] as Conv2d;
      const coarse = fpnTopDownLevels.includes(i) && i !== last ? above : undefined;
      const { y } = context.block(conv, { x: stages[i] as tf.Tensor4D, coarse }, (inputs) => {
        const lateral = conv.forward(inputs.x); // [B, h, w, C]
        return { y: inputs.coarse === undefined ? lateral : tf.add(lateral, doubled(inputs.coarse)) };
      });
      above = y as tf.Tensor4D;
      pyramid.push(above);
    }
    return pyramid.slice(-numFeatureLevels).reverse();
  }
}

/** Nearest-neighbour upsampling by 2. */
function doubled(x: tf.Tensor4D): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  // In two steps: the gradient of tile is limited to rank 4.
  const wide = tf.tile(tf.reshape(x, [b * h * w, 1, c]), [1, 2, 1]);
  return tf.reshape(tf.tile(tf.reshape(wide, [b * h, 1, 2 * w * c]), [1, 2, 1]), [b, 2 * h, 2 * w, c]);
}
