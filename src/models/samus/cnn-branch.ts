import type { tf } from '../../backend/index.js';
import { TensorLayer } from '../../nn/index.js';
import type { SamusVisionConfig } from './config.js';
import { ConvBlock, HalvingBlock } from './conv-block.js';

/** Convolutions of the image down to the map of patches, which keep the local detail that patches lose. */
export class CnnBranch extends TensorLayer {
  private readonly inc: ConvBlock;
  private readonly downs: HalvingBlock[];

  constructor({ numChannels, cnnChannels, hiddenSize }: SamusVisionConfig) {
    super();
    const widths = [...cnnChannels, hiddenSize];
    this.inc = this.child('inc', new ConvBlock(numChannels, widths[0] as number));
    this.downs = this.childList(
      'downs',
      widths.slice(1).map((width, i) => new HalvingBlock(widths[i] as number, width)),
    );
  }

  /** [B, S, S, channels] to [B, h, w, C]. */
  forward(pixelValues: tf.Tensor4D): tf.Tensor4D {
    return this.downs.reduce((x, down) => down.forward(x), this.inc.forward(pixelValues));
  }
}

/** Reduces the position embeddings, stored at SAM's resolution, to the map of patches. */
export class PositionReduction extends TensorLayer {
  private readonly downs: HalvingBlock[];

  constructor({ hiddenSize, posEmbedSize }: SamusVisionConfig, side: number) {
    super();
    this.downs = this.childList(
      'downs',
      Array.from({ length: Math.log2(posEmbedSize / side) }, () => new HalvingBlock(hiddenSize, hiddenSize)),
    );
  }

  /** [1, stored, stored, C] to [1, h, w, C]. */
  forward(positions: tf.Tensor4D): tf.Tensor4D {
    return this.downs.reduce((x, down) => down.forward(x), positions);
  }
}
