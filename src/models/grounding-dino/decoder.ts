import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, Module } from '../../nn/index.js';
import { sinusoidalEncoding } from '../../ops/index.js';
import type { GroundingDinoConfig } from './config.js';
import { DecoderLayer } from './decoder-layer.js';
import type { Features } from './encoder-layer.js';
import { boxLogit, type ContrastiveEmbedding, MlpPredictionHead } from './heads.js';
import type { TextGeometry } from './text-geometry.js';
import { alternate, type VisionGeometry } from './vision-geometry.js';

/** Prediction of one decoder layer (or the first stage). */
export interface DetectionLayer {
  /** [B, Q, T] f32, raw: padding tokens are not masked. */
  readonly logits: tf.Tensor3D;
  /** [B, Q, 4] f32, cxcywh in [0, 1]. */
  readonly predBoxes: tf.Tensor3D;
}

export interface DecoderInputs {
  /** [B, Q, d] f32, a block's output or a constant. */
  readonly queries: tf.Tensor3D;
  /** [B, Q, 4] f32 in [0, 1], a block's output or a constant. */
  readonly references: tf.Tensor3D;
  readonly features: Features;
  readonly vision: VisionGeometry;
  readonly text: TextGeometry;
  /** One per layer; repeated if shared. */
  readonly bboxEmbed: readonly MlpPredictionHead[];
  /** One per layer. */
  readonly classEmbed: readonly ContrastiveEmbedding[];
}

/** Refines boxes layer by layer. */
export class Decoder extends Module {
  private readonly layerNorm: LayerNorm;
  private readonly layers: DecoderLayer[];
  private readonly referencePointsHead: MlpPredictionHead;
  private readonly config: GroundingDinoConfig;

  constructor(config: GroundingDinoConfig) {
    super();
    this.config = config;
    const { dModel, queryDim, decoderLayers, layerNormEps } = config;
    this.layerNorm = this.child('layer_norm', new LayerNorm(dModel, layerNormEps));
    this.layers = this.childList(
      'layers',
      Array.from({ length: decoderLayers }, () => new DecoderLayer(config)),
    );
    const head = new MlpPredictionHead((queryDim / 2) * dModel, dModel, dModel, 2);
    this.referencePointsHead = this.child('reference_points_head', head);
  }

  /** @returns one entry per layer. */
  forward(inputs: DecoderInputs, context: ForwardContext): DetectionLayer[] {
    const { queries, references, features, vision, text, bboxEmbed, classEmbed } = inputs;
    const { dModel } = this.config;
    const { spatialShapes } = vision;
    const samples = spatialShapes.length * this.config.decoderNPoints;
    const constants = {
      mask: vision.mask as tf.Tensor | undefined,
      ratios: vision.decoderRatios as tf.Tensor,
      firstRatio: vision.firstRatio as tf.Tensor,
      textBias: text.tokenBias as tf.Tensor,
    };
    const outputs: DetectionLayer[] = [];
    let hidden = queries as tf.Tensor;
    let reference = references as tf.Tensor;
    for (const [i, layer] of this.layers.entries()) {
      const head = bboxEmbed[i] as MlpPredictionHead;
      const classHead = classEmbed[i] as ContrastiveEmbedding;
      const layerInputs = {
        hidden,
        reference,
        memory: features.vision as tf.Tensor,
        text: features.text as tf.Tensor,
        ...constants,
      };
      const owners: Module[] = [layer, this.referencePointsHead, this.layerNorm, head, classHead];
      const out = context.block(owners, layerInputs, (x, mode) => {
        const encoded = sinusoidalEncoding(tf.mul(x.reference, x.firstRatio), dModel / 2); // [B, Q, 2 d]
        const positions = this.referencePointsHead.forward(encoded); // [B, Q, d]
        const origin = tf.mul(alternate(x.reference, samples), x.ratios); // [B, Q, L * P * 2]
        const side = tf.mul(alternate(x.reference, samples, 2), x.ratios);
        const unit = tf.mul(side, 0.5 / this.config.decoderNPoints);
        const { memory, mask: memoryMask, text, textBias } = x;
        const image = { memory, memoryMask, spatialShapes, origin, unit };
        const next = layer.forward({ hidden: x.hidden, positions, text, textBias, ...image }, mode); // [B, Q, d]
        const normed = this.layerNorm.forward(next) as tf.Tensor3D;
        const predBoxes = tf.sigmoid(tf.add(head.forward(normed), boxLogit(x.reference))) as tf.Tensor3D; // [B, Q, 4]
        return { hidden: next, logits: classHead.forward(normed, text as tf.Tensor3D), predBoxes };
      });
      outputs.push({ logits: out.logits, predBoxes: out.predBoxes });
      if (i < this.layers.length - 1) reference = refine(head, out.hidden, reference, context);
      hidden = out.hidden;
    }
    return outputs;
  }
}

/**
 * The next layer's references, detached. As in the reference, they are computed from the features before the norm, the predicted
 * boxes from those after it.
 */
function refine(head: MlpPredictionHead, hidden: tf.Tensor, reference: tf.Tensor, context: ForwardContext): tf.Tensor {
  return tf.tidy(() => tf.sigmoid(tf.add(head.forward(context.detach(hidden)), boxLogit(context.detach(reference)))));
}
