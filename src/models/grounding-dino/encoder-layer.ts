import type { tf } from '../../backend/index.js';
import { type ForwardContext, Module } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';
import { DeformableLayer } from './deformable-layer.js';
import { FusionLayer } from './fusion-layer.js';
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

  /** @param positions - [B or 1, S, d] f32, an output of a block. */
  forward(
    features: Features,
    positions: tf.Tensor,
    geometry: VisionGeometry,
    textGeometry: TextGeometry,
    context: ForwardContext,
  ): Features {
    const { spatialShapes, mask, bias: visionBias, encoderOrigin, encoderUnit } = geometry;
    const { tokenBias, phraseBias, positions: textPositions } = textGeometry;
    const inputs = {
      ...features,
      positions: positions as tf.Tensor,
      mask: mask as tf.Tensor | undefined,
      visionBias: visionBias as tf.Tensor | undefined,
      origin: encoderOrigin as tf.Tensor,
      unit: encoderUnit as tf.Tensor,
      tokenBias: tokenBias as tf.Tensor,
      phraseBias: phraseBias as tf.Tensor,
      textPositions: textPositions as tf.Tensor,
    };
    return context.block(this, inputs, (x, mode) => {
      const { visionBias, tokenBias: textBias, mask: memoryMask, origin, unit } = x;
      const fused = this.fusionLayer.forward({ vision: x.vision, text: x.text, visionBias, textBias }, mode);
      const text = this.textEnhancerLayer.forward(fused.text, x.textPositions, x.phraseBias, mode); // [B, T, d]
      const vision = this.deformableLayer.forward(
        { vision: fused.vision, positions: x.positions, memoryMask, spatialShapes, origin, unit },
        mode,
      ); // [B, S, d]
      return { vision: vision as tf.Tensor3D, text: text as tf.Tensor3D };
    });
  }
}
