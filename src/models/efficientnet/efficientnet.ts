import { tf } from '../../backend/index.js';
import { type ForwardContext, FrozenBatchNorm, relu6, TensorLayer } from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import type { EfficientNetConfig } from './config.js';
import { FullConvolution } from './convolutions.js';
import { InvertedResidual, NORM_EPS } from './inverted-residual.js';

/**
 * EfficientNet-Lite as the backbone of a detector: inverted residuals without squeeze-and-excitation, ReLU6, and batch norms with
 * fixed statistics. Names are those of transformers' `TimmBackbone`.
 *
 * @see Tan and Le 2019, "EfficientNet"; timm 1.0 models/efficientnet.py and layers/norm_act.py, FrozenBatchNormAct2d
 */
export class EfficientNet extends TensorLayer {
  /** Channels of each output map. */
  readonly channels: readonly number[];
  private readonly config: EfficientNetConfig;
  private readonly stem: FullConvolution;
  private readonly stemNorm: FrozenBatchNorm;
  private readonly stages: InvertedResidual[][];

  constructor(config: EfficientNetConfig) {
    super();
    const { numChannels, stemChannels, stages, outputs } = config;
    this.config = config;
    this.stem = this.child('_backbone.conv_stem', new FullConvolution(numChannels, stemChannels, 3, 2));
    this.stemNorm = this.child('_backbone.bn1', new FrozenBatchNorm(stemChannels, NORM_EPS));
    this.stages = stages.map(({ repeats, channels: outChannels, ...stage }, i) => {
      const before = stages[i - 1]?.channels ?? stemChannels;
      const blocks = Array.from({ length: repeats }, (_, block) =>
        block === 0
          ? new InvertedResidual({ ...stage, inChannels: before, outChannels })
          : new InvertedResidual({ ...stage, stride: 1, inChannels: outChannels, outChannels }),
      );
      return this.childList(`_backbone.blocks.${i}`, blocks);
    });
    this.channels = outputs.map((output) => (stages[output] as { channels: number }).channels);
  }

  /**
   * @param pixelValues - [B, H, W, channels] f32, normalised, of any size.
   * @returns one map per output: [B, h, w, C] f32, with h and w halved (rounded up) from level to level.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D[] {
    assertShape(pixelValues, [null, null, null, this.config.numChannels], 'EfficientNet pixelValues');
    return tf.tidy(() => {
      let { x } = context.block([this.stem, this.stemNorm], { pixelValues }, (inputs) => ({
        x: relu6(this.stem.forward(inputs.pixelValues, this.stemNorm)), // [B, H / 2, W / 2, C]
      }));
      const maps = this.stages.map((blocks) => {
        x = blocks.reduce((y, block) => block.forward(y, context), x);
        return x;
      });
      return this.config.outputs.map((output) => maps[output] as tf.Tensor4D);
    });
  }
}

/**
 * Unused keys that checkpoints may contain below the backbone, as path patterns.
 * - how many batches made a norm's statistics;
 * - stages after the last output, which timm keeps.
 */
export const efficientNetUnusedKeys: readonly string[] = ['_backbone.**.num_batches_tracked', '_backbone.blocks.**'];
