import { tf } from '../../backend/index.js';
import {
  type BlockMode,
  constant,
  dropout,
  dropPath,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
  xavierUniform,
} from '../../nn/index.js';
import { mergeHeads, splitHeads } from '../../ops/index.js';
import type { GroundingDinoConfig } from './config.js';
import { foldedMixOfCells, foldedMixOfTokens, foldedScores } from './folded-projections.js';

export interface FusionInputs {
  /** [B, S, d] f32. */
  readonly vision: tf.Tensor;
  /** [B, T, d] f32. */
  readonly text: tf.Tensor;
  /** [B, 1, 1, S] f32, added to the text-to-image attention scores; absent without padding. */
  readonly visionBias?: tf.Tensor | undefined;
  /** [B, 1, 1, T] f32, added to the image-to-text attention scores. */
  readonly textBias: tf.Tensor;
}

/** Bidirectional cross-attention between image and text, with a single score matrix. */
class BiMultiHeadAttention extends Module {
  private readonly visionProj: Linear;
  private readonly textProj: Linear;
  private readonly valuesVisionProj: Linear;
  private readonly valuesTextProj: Linear;
  private readonly outVisionProj: Linear;
  private readonly outTextProj: Linear;
  private readonly heads: number;
  private readonly scale: number;
  private readonly dropoutRate: number;

  constructor({ dModel, encoderFfnDim, encoderAttentionHeads, fusionDropout }: GroundingDinoConfig) {
    super();
    const width = Math.floor(encoderFfnDim / 2);
    this.heads = Math.floor(encoderAttentionHeads / 2);
    this.scale = 1 / Math.sqrt(width / this.heads);
    this.dropoutRate = fusionDropout;
    const make = (name: string, from: number, to: number, reused = false) =>
      this.child(name, new Linear(from, to, { weightInit: xavierUniform, reused }));
    const folded = true;
    this.visionProj = make('vision_proj', dModel, width, folded);
    this.textProj = make('text_proj', dModel, width);
    this.valuesVisionProj = make('values_vision_proj', dModel, width, folded);
    this.valuesTextProj = make('values_text_proj', dModel, width);
    this.outVisionProj = make('out_vision_proj', width, dModel, folded);
    this.outTextProj = make('out_text_proj', width, dModel);
  }

  forward(inputs: FusionInputs, mode: BlockMode): { vision: tf.Tensor; text: tf.Tensor } {
    return this.mayFold(inputs.text.shape[1] ?? 0, mode) ? this.forwardFolded(inputs) : this.forwardWide(inputs, mode);
  }

  /** Whether it is faster to apply the image's projections to the text first. An active adapter cannot be folded. */
  private mayFold(tokens: number, mode: BlockMode): boolean {
    const plain = [this.visionProj, this.valuesVisionProj, this.outVisionProj].every((layer) => layer.plain !== undefined);
    const drops = mode.training && this.dropoutRate > 0;
    return plain && !drops && 2 * this.heads * tokens <= this.visionProj.outFeatures;
  }

  /** Same as {@link forwardWide}, with the products in another order. */
  private forwardFolded({ vision, text, visionBias, textBias }: FusionInputs): { vision: tf.Tensor; text: tf.Tensor } {
    const { heads } = this;
    const [b = 0, s = 0] = vision.shape;
    const t = text.shape[1] ?? 0;
    const scores = tf.tidy(() =>
      lowered(foldedScores(vision, this.visionProj, tf.mul(this.textProj.forward(text), this.scale), heads)),
    ); // [B, S, H * T]
    const turned = tf.transpose(scores, [0, 2, 1]); // [B, H * T, S]
    const byToken = tf.add(tf.reshape(scores, [b, s, heads, t]), textBias);
    const toText = tf.reshape(tf.softmax(byToken), [b, s, heads * t]) as tf.Tensor3D;
    const toVision = tf.softmax(visionBias === undefined ? turned : tf.add(turned, tf.reshape(visionBias, [b, 1, s])));
    return {
      vision: foldedMixOfTokens(toText, this.valuesTextProj.forward(text), this.outVisionProj, heads), // [B, S, d]
      text: this.outTextProj.forward(foldedMixOfCells(toVision as tf.Tensor3D, vision, this.valuesVisionProj, heads)), // [B, T, d]
    };
  }

  private forwardWide(
    { vision, text, visionBias, textBias }: FusionInputs,
    mode: BlockMode,
  ): { vision: tf.Tensor; text: tf.Tensor } {
    const heads = (x: tf.Tensor) => splitHeads(x, this.heads);
    const drop = (x: tf.Tensor4D): tf.Tensor4D => dropout(x, this.dropoutRate, mode);
    const scores = tf.tidy(() => {
      const query = heads(tf.mul(this.visionProj.forward(vision), this.scale)); // [B, H, S, dh]
      const key = heads(this.textProj.forward(text)); // [B, H, T, dh]
      return lowered(tf.matMul(query, key, false, true)); // [B, H, S, T]
    });
    const turned = tf.transpose(scores, [0, 1, 3, 2]); // [B, H, T, S]
    const toText = tf.softmax(tf.add(scores, textBias)) as tf.Tensor4D;
    const toVision = tf.softmax(visionBias === undefined ? turned : tf.add(turned, visionBias)) as tf.Tensor4D;
    // [..., N, M] weights and [B, M, width] values to [B, N, d].
    const mix = (weights: tf.Tensor4D, values: tf.Tensor, out: Linear) =>
      tf.tidy(() => out.forward(mergeHeads(tf.matMul(drop(weights), heads(values)))));
    return {
      vision: mix(toText, this.valuesTextProj.forward(text), this.outVisionProj), // [B, S, d]
      text: mix(toVision, this.valuesVisionProj.forward(vision), this.outTextProj), // [B, T, d]
    };
  }
}

/**
 * Subtracts each image's maximum and clamps at -50000, a guard against overflow. The shift cancels in the subsequent softmax, so the
 * gradient ignores it. The reference subtracts the maximum over the whole batch: then an image's rounding would depend on the images
 * beside it.
 *
 * @param scores - [B, ...] f32.
 */
function lowered<T extends tf.Tensor>(scores: T): T {
  const floor = -50000;
  const op = tf.customGrad((x_, save_) => {
    const save = save_ as unknown as (tensors: tf.Tensor[]) => void;
    const x = x_ as tf.Tensor;
    const withinImage = Array.from({ length: x.rank - 1 }, (_, i) => i + 1);
    const value = tf.maximum(tf.sub(x, tf.max(x, withinImage, true)), floor);
    save([value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.mul(dy, tf.cast(tf.greater(saved[0] as tf.Tensor, floor), 'float32'));
    return { value, gradFunc: gradFunc as never };
  });
  return op(scores) as T;
}

/** Fuses image and text features; each side's update is scaled by a learned vector that is initially small. */
export class FusionLayer extends Module {
  private readonly layerNormVision: LayerNorm;
  private readonly layerNormText: LayerNorm;
  private readonly attn: BiMultiHeadAttention;
  private readonly visionParam: Parameter;
  private readonly textParam: Parameter;
  private readonly dropPathRate: number;

  constructor(config: GroundingDinoConfig) {
    super();
    const { dModel, layerNormEps, fusionDroppath } = config;
    this.dropPathRate = fusionDroppath;
    this.layerNormVision = this.child('layer_norm_vision', new LayerNorm(dModel, layerNormEps));
    this.layerNormText = this.child('layer_norm_text', new LayerNorm(dModel, layerNormEps));
    this.attn = this.child('attn', new BiMultiHeadAttention(config));
    this.visionParam = this.parameter('vision_param', [dModel], { init: constant(1e-4) });
    this.textParam = this.parameter('text_param', [dModel], { init: constant(1e-4) });
  }

  /** @returns both sides in their own shapes; the residual is the normalised input. */
  forward(inputs: FusionInputs, mode: BlockMode): { vision: tf.Tensor; text: tf.Tensor } {
    const vision = this.layerNormVision.forward(inputs.vision); // [B, S, d]
    const text = this.layerNormText.forward(inputs.text); // [B, T, d]
    const change = tf.tidy(() => this.attn.forward({ ...inputs, vision, text }, mode));
    return {
      vision: tf.add(vision, dropPath(tf.mul(change.vision, this.visionParam.value), this.dropPathRate, mode)),
      text: tf.add(text, dropPath(tf.mul(change.text, this.textParam.value), this.dropPathRate, mode)),
    };
  }
}
