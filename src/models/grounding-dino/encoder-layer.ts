import { tf } from '../../backend/index.js';
import { type ForwardContext, Module, type TensorRecord } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';
import { DeformableLayer } from './deformable-layer.js';
import { type FusionInputs, FusionLayer } from './fusion-layer.js';
import { TextEnhancerLayer } from './text-enhancer-layer.js';
import type { TextGeometry } from './text-geometry.js';
import type { VisionGeometry } from './vision-geometry.js';

export interface Features {
  /** [B, S, d] f32: all cells of all levels. */
  readonly vision: tf.Tensor3D;
  /** [B, T, d] f32. */
  readonly text: tf.Tensor3D;
}

/** One layer of the feature enhancer: fusion, text layer, image layer. */
export class EncoderLayer extends Module {
  private readonly textEnhancerLayer: TextEnhancerLayer;
  private readonly fusionLayer: FusionLayer;
  private readonly deformableLayer: DeformableLayer;

  constructor(config: GroundingDinoConfig) {
    super();
    this.textEnhancerLayer = this.child('text_enhancer_layer', new TextEnhancerLayer(config));
    this.fusionLayer = this.child('fusion_layer', new FusionLayer(config));
    this.deformableLayer = this.child('deformable_layer', new DeformableLayer(config));
  }

  /**
   * One block per part: a block's intermediates are all that training has to keep besides block outputs.
   *
   * @param positions - [B or 1, S, d] f32, a block's output.
   */
  forward(
    features: Features,
    positions: tf.Tensor,
    geometry: VisionGeometry,
    textGeometry: TextGeometry,
    context: ForwardContext,
  ): Features {
    const { spatialShapes, mask: memoryMask, bias: visionBias, encoderOrigin: origin, encoderUnit: unit } = geometry;
    const { tokenBias: textBias, phraseBias, positions: textPositions } = textGeometry;
    return tf.tidy(() => {
      const sides = { ...features, visionBias, textBias } as FusionInputs & TensorRecord;
      const fused = context.block(this.fusionLayer, sides, (x, mode) => this.fusionLayer.forward(x, mode));
      const prompt = { text: fused.text, textPositions: textPositions as tf.Tensor, phraseBias: phraseBias as tf.Tensor };
      const { text } = context.block(this.textEnhancerLayer, prompt, (x, mode) => ({
        text: this.textEnhancerLayer.forward(x.text, x.textPositions, x.phraseBias, mode) as tf.Tensor3D, // [B, T, d]
      }));
      const image = { vision: fused.vision, positions, memoryMask, spatialShapes, origin, unit };
      const vision = this.deformableLayer.forward(image, context) as tf.Tensor3D; // [B, S, d]
      return { vision, text };
    });
  }
}
