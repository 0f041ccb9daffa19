import { tf } from '../../backend/index.js';
import { bertUnusedKeys } from '../bert/index.js';
import { efficientNetUnusedKeys } from '../efficientnet/index.js';
import { swinUnusedKeys } from '../swin/index.js';
import type { GroundingDinoConfig } from './config.js';
import type { GroundingDinoOutputs } from './grounding-dino.js';

/** Outputs under the names of `GroundingDinoForObjectDetection`. */
export interface HuggingFaceDetections {
  /** [B, Q, maxTextLen] f32, -inf where there is no text. */
  readonly logits: tf.Tensor3D;
  /** [B, Q, 4] f32, cxcywh in [0, 1]. */
  readonly predBoxes: tf.Tensor3D;
}

/**
 * Converts logits to Hugging Face's form.
 *
 * @param logits - [B, Q, T] f32.
 * @param attentionMask - [B, T or more] i32, 1 text 0 padding.
 * @returns [B, Q, maxTextLen] f32, -inf where there is no text.
 */
export function maskTextLogits(logits: tf.Tensor3D, attentionMask: tf.Tensor2D, maxTextLen: number): tf.Tensor3D {
  return tf.tidy(() => {
    const [b, q, t] = logits.shape;
    const text = tf.cast(attentionMask.slice([0, 0], [b, t]), 'bool').reshape([b, 1, t]);
    const masked = tf.where(
      tf.logicalAnd(text, tf.onesLike(logits).cast('bool')),
      logits,
      tf.fill([b, q, t], Number.NEGATIVE_INFINITY),
    );
    return tf.concat([masked, tf.fill([b, q, maxTextLen - t], Number.NEGATIVE_INFINITY)], 2) as tf.Tensor3D;
  });
}

/** Converts the last decoder layer's prediction to Hugging Face's form; the tensors belong to the caller. */
export function groundingDinoToHuggingFace(
  outputs: GroundingDinoOutputs,
  attentionMask: tf.Tensor2D,
  { maxTextLen }: GroundingDinoConfig,
): HuggingFaceDetections {
  const last = outputs.layers[outputs.layers.length - 1];
  if (last === undefined) throw new RangeError('groundingDinoToHuggingFace: the outputs have no layer');
  return { logits: maskTextLogits(last.logits, attentionMask, maxTextLen), predBoxes: last.predBoxes.clone() };
}

/**
 * Copies of tied tensors that a checkpoint may contain; `save_pretrained` only writes `of`.
 * - the decoder of the reference contains the box heads a second time;
 * - with `decoder_bbox_embed_share` all layers share one head, without it each `bbox_embed.i` is its own.
 *   `two_stage_bbox_embed_share` ties nothing: the reference creates the first stage's head before there is one to share.
 */
export const groundingDinoTiedKeys: readonly {
  readonly copy: string;
  readonly of: string;
  readonly when?: keyof GroundingDinoConfig;
}[] = [
  { copy: 'model.decoder.bbox_embed', of: 'bbox_embed' },
  { copy: 'model.decoder.class_embed', of: 'class_embed', when: 'scaledLogits' },
  { copy: 'bbox_embed.*', of: 'bbox_embed.0', when: 'decoderBboxEmbedShare' },
];

/**
 * Paths where the reference's modules look up the adapter of a box head, by the path here. Its decoder contains the heads a
 * second time, and the first path counts; heads that are shared here have tied weights there, not tied modules.
 */
export function groundingDinoHeadPaths({ decoderBboxEmbedShare, decoderLayers }: GroundingDinoConfig): Record<string, string[]> {
  const theirs = Array.from({ length: decoderLayers }, (_, i) => `model.decoder.bbox_embed.${i}`);
  if (decoderBboxEmbedShare) return { 'bbox_embed.0': theirs };
  return Object.fromEntries(theirs.map((path, i) => [`bbox_embed.${i}`, [path]]));
}

/** Later layers' heads, which a checkpoint of MM Grounding DINO omits if they equal the first. */
export const mmGroundingDinoSharedKeys: readonly { readonly copy: string; readonly of: string }[] = [
  { copy: 'bbox_embed.*', of: 'bbox_embed.0' },
  { copy: 'class_embed.*', of: 'class_embed.0' },
];

/** Keys that checkpoints may contain but no forward pass reads, as path patterns. */
export const groundingDinoUnusedKeys: readonly string[] = [
  ...[...swinUnusedKeys, ...efficientNetUnusedKeys].map((key) => `model.backbone.conv_encoder.model.${key}`),
  ...bertUnusedKeys.map((key) => `model.text_backbone.${key}`),
];
