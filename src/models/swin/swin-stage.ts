import type { tf } from '../../backend/index.js';
import { type ForwardContext, TensorLayer } from '../../nn/index.js';
import { shiftedWindowMask } from '../../ops/index.js';
import type { SwinConfig } from './config.js';
import { PatchMerging } from './patch-merging.js';
import { SwinBlock } from './swin-block.js';

/** The blocks of one resolution, and the downsampling to the next. */
export class SwinStage extends TensorLayer {
  /** Absent in the last stage. */
  readonly downsample: PatchMerging | undefined;
  private readonly blocks: SwinBlock[];
  private readonly windowSize: number;

  constructor(config: SwinConfig, index: number) {
    super();
    const { depths, numHeads, windowSize, initializerRange } = config;
    const channels = config.embedDim * 2 ** index;
    const heads = numHeads[index] as number;
    const before = depths.slice(0, index).reduce((a, b) => a + b, 0);
    const last = depths.reduce((a, b) => a + b, 0) - 1;
    this.windowSize = windowSize;
    this.blocks = this.childList(
      'blocks',
      Array.from({ length: depths[index] as number }, (_, i) => {
        const shift = i % 2 === 0 ? 0 : Math.floor(windowSize / 2);
        return new SwinBlock(config, {
          channels,
          heads,
          shift,
          dropPathProb: (config.dropPathRate * (before + i)) / Math.max(last, 1),
        });
      }),
    );
    this.downsample =
      index < depths.length - 1 ? this.child('downsample', new PatchMerging(channels, initializerRange)) : undefined;
  }

  /**
   * @param x - [B, H, W, C] f32.
   * @returns the same shape, before downsampling.
   */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    const mask = this.mask(x);
    return this.blocks.reduce((y, block) => block.forward(y, block.shift === 0 ? undefined : mask, context), x);
  }

  /** The mask shared by all shifted blocks. */
  private mask(x: tf.Tensor4D): tf.Tensor3D | undefined {
    const shift = Math.max(...this.blocks.map((block) => block.shift));
    if (shift === 0) return undefined;
    const [, h, w] = x.shape;
    const size = this.windowSize;
    return shiftedWindowMask([Math.ceil(h / size) * size, Math.ceil(w / size) * size], size, shift);
  }
}
