import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, TensorLayer } from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import { type SwinConfig, stageName } from './config.js';
import { SwinEmbeddings } from './swin-embeddings.js';
import { SwinStage } from './swin-stage.js';

/**
 * The Swin backbone for detectors: windowed attention at every resolution, and a norm for each output map.
 *
 * @see Liu et al. 2021, "Swin Transformer", and transformers 5.18 models/swin/modeling_swin.py, SwinBackbone
 */
export class Swin extends TensorLayer {
  /** Channels of each output map. */
  readonly channels: readonly number[];
  private readonly config: SwinConfig;
  private readonly embeddings: SwinEmbeddings;
  private readonly stages: SwinStage[];
  private readonly norms: LayerNorm[];

  constructor(config: SwinConfig) {
    super();
    this.config = config;
    this.channels = config.outIndices.map((index) => config.embedDim * 2 ** Math.max(index - 1, 0));
    this.embeddings = this.child('embeddings', new SwinEmbeddings(config));
    this.stages = this.childList(
      'encoder.layers',
      config.depths.map((_, i) => new SwinStage(config, i)),
    );
    this.norms = config.outIndices.map((index, i) =>
      this.child(`hidden_states_norms.${stageName(index)}`, new LayerNorm(this.channels[i] as number)),
    );
  }

  /**
   * @param pixelValues - [B, H, W, channels] f32, normalised, of any size.
   * @returns one map per entry of `outIndices`: [B, h, w, C] f32, with h and w halved (rounded up) from stage to stage.
   */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D[] {
    assertShape(pixelValues, [null, null, null, this.config.numChannels], 'Swin pixelValues');
    return tf.tidy(() => {
      const last = Math.max(...this.config.outIndices);
      let x = this.embeddings.forward(pixelValues, context); // [B, h, w, C]
      const maps = [x];
      for (const stage of this.stages.slice(0, last)) {
        const y = stage.forward(x, context);
        maps.push(y);
        if (maps.length <= last && stage.downsample) x = stage.downsample.forward(y, context); // [B, h / 2, w / 2, 2 C]
      }
      return this.config.outIndices.map((index, i) => this.normalise(maps[index] as tf.Tensor4D, i, context));
    });
  }

  private normalise(x: tf.Tensor4D, output: number, context: ForwardContext): tf.Tensor4D {
    const norm = this.norms[output] as LayerNorm;
    return context.block(norm, { x }, (inputs) => ({ y: norm.forward(inputs.x) })).y;
  }
}

/**
 * Unused keys that Swin checkpoints may contain below the backbone, as path patterns.
 * - the norm after the last stage: part of the reference's inner model, whose output a backbone does not use;
 * - the relative position index of each pair, saved by older versions: it follows from the window size.
 */
export const swinUnusedKeys: readonly string[] = ['swin.layernorm.*', '**.relative_position_index'];
