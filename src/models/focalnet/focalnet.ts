import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, TensorLayer } from '../../nn/index.js';
import { assertShape, SonogroundError } from '../../util/index.js';
import type { FocalNetConfig } from './config.js';
import { ConvEmbedding } from './conv-embedding.js';
import { FocalBlock } from './focal-block.js';

/** Convolutions that shrink a map: of the image, and between two stages. */
const STEM = { kernelSize: 7, stride: 4, padding: 2 };
const HALVING = { kernelSize: 3, stride: 2, padding: 1 };

/**
 * The FocalNet backbone for dense prediction: focal modulation at every resolution, and a norm for each stage's map.
 *
 * @see Yang et al. 2022, Focal Modulation Networks; microsoft/BiomedParse, `modeling/vision/backbone/focal.py`
 */
export class FocalNet extends TensorLayer {
  /** Channels of each stage's map. */
  readonly channels: readonly number[];
  /** The sides of an image must be multiples of it. */
  readonly divisor: number;
  private readonly stem: ConvEmbedding;
  private readonly stages: Stage[];
  private readonly norms: LayerNorm[];

  constructor(config: FocalNetConfig) {
    super();
    const { embedDim, depths } = config;
    this.channels = depths.map((_, i) => embedDim * 2 ** i);
    this.divisor = STEM.stride * HALVING.stride ** (depths.length - 1);
    this.stem = this.child('patch_embed', new ConvEmbedding(3, embedDim, STEM));
    this.stages = this.childList(
      'layers',
      depths.map((_, i) => new Stage(config, i)),
    );
    this.norms = this.channels.map((channels, i) => this.child(`norm${i}`, new LayerNorm(channels)));
  }

  /**
   * @param pixelValues - [B, H, W, 3] f32, normalised, with sides divisible by {@link divisor}.
   * @returns one map per stage, finest first: [B, H / 4, W / 4, C], then half the size and twice the channels each.
   * @throws SonogroundError when the sides are not divisible.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D[] {
    assertShape(pixelValues, [null, null, null, 3], 'FocalNet pixelValues');
    const [, height, width] = pixelValues.shape;
    if (height % this.divisor !== 0 || width % this.divisor !== 0)
      throw new SonogroundError({
        code: 'E_SHAPE',
        where: 'FocalNet pixelValues',
        what: `expected sides that are multiples of ${this.divisor}, got ${width}x${height}`,
      });
    return tf.tidy(() => {
      let x = this.stem.forward(pixelValues, context); // [B, H / 4, W / 4, C]
      return this.stages.map((stage, i) => {
        const y = stage.forward(x, context); // [B, h, w, C]
        if (stage.downsample !== undefined) x = stage.downsample.forward(y, context); // [B, h / 2, w / 2, 2 C]
        const norm = this.norms[i] as LayerNorm;
        return context.block(norm, { y }, (inputs) => ({ map: norm.forward(inputs.y) })).map;
      });
    });
  }
}

/** The blocks of one resolution, and the convolution to the next. */
class Stage extends TensorLayer {
  /** Absent in the last stage. */
  readonly downsample: ConvEmbedding | undefined;
  private readonly blocks: FocalBlock[];

  constructor({ embedDim, depths, focalLevels, focalWindows, mlpRatio, dropPathRate }: FocalNetConfig, index: number) {
    super();
    const channels = embedDim * 2 ** index;
    const before = depths.slice(0, index).reduce((a, b) => a + b, 0);
    const last = depths.reduce((a, b) => a + b, 0) - 1;
    const sizes = { levels: focalLevels[index] as number, window: focalWindows[index] as number, mlpRatio };
    this.blocks = this.childList(
      'blocks',
      Array.from({ length: depths[index] as number }, (_, i) => {
        return new FocalBlock(channels, { ...sizes, dropPathProb: (dropPathRate * (before + i)) / Math.max(last, 1) });
      }),
    );
    if (index < depths.length - 1) this.downsample = this.child('downsample', new ConvEmbedding(channels, 2 * channels, HALVING));
  }

  /** [B, H, W, C] to the same shape, before downsampling. */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return this.blocks.reduce((y, block) => block.forward(y, context), x);
  }
}
