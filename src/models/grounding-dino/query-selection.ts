import { tf } from '../../backend/index.js';
import type { ForwardContext, LayerNorm, Linear, Module } from '../../nn/index.js';
import { ConfigError } from '../../util/index.js';
import type { Features } from './encoder-layer.js';
import type { ContrastiveEmbedding, MlpPredictionHead } from './heads.js';
import type { TextGeometry } from './text-geometry.js';
import type { VisionGeometry } from './vision-geometry.js';

/** The parameters of the first stage. */
export interface ProposalHead {
  readonly output: Linear;
  readonly norm: LayerNorm;
  readonly bboxEmbed: MlpPredictionHead;
  readonly classEmbed: ContrastiveEmbedding;
}

/** The first stage's logits at every cell, with gradient. */
export interface CellLogits {
  /** [B, S, T] f32, unmasked. */
  readonly logits: tf.Tensor3D;
  /** Height and width of each level, finest first; S is the sum of their products. */
  readonly spatialShapes: readonly (readonly [number, number])[];
}

export interface Selection {
  /** [B, Q, T] f32. */
  readonly logits: tf.Tensor3D;
  /** [B, Q, 4] f32, cxcywh in [0, 1]. */
  readonly predBoxes: tf.Tensor3D;
  /** [B, Q, d] f32: object features of the selected cells. */
  readonly objects: tf.Tensor3D;
}

/** Describes cells as candidate objects: [..., d] f32. */
function describe({ output, norm }: ProposalHead, vision: tf.Tensor, proposing: tf.Tensor): tf.Tensor {
  return norm.forward(output.forward(tf.mul(vision, proposing)));
}

/** Scores every cell like {@link selectQueries}, with gradient, for a loss over all cells. */
export function scoreCells(
  head: ProposalHead,
  features: Features,
  { proposing, spatialShapes }: VisionGeometry,
  context: ForwardContext,
): CellLogits {
  const { output, norm, classEmbed } = head;
  const { logits } = context.block([output, norm, classEmbed], { ...features, proposing }, (x) => ({
    logits: classEmbed.forward(describe(head, x.vision, x.proposing) as tf.Tensor3D, x.text as tf.Tensor3D),
  }));
  return { logits, spatialShapes };
}

/**
 * Selects the cells most similar to any token, and predicts a box and logits for each. The selection itself is not
 * differentiable; only selected cells get a gradient, so that the first stage costs as much as its queries, rather than all
 * cells. The reference detaches these outputs in its loss, and takes the logits from other features: its first-stage heads are
 * never trained.
 *
 * @throws ConfigError when there are fewer cells than queries.
 */
export function selectQueries(
  head: ProposalHead,
  features: Features,
  geometry: VisionGeometry,
  { tokenBias }: TextGeometry,
  numQueries: number,
  context: ForwardContext,
): Selection {
  const { output, norm, bboxEmbed, classEmbed } = head;
  const [b, s, d] = features.vision.shape;
  if (numQueries > s) {
    const what = `num_queries is ${numQueries}, but the image has only ${s} cells`;
    throw new ConfigError({
      code: 'E_IMAGE_TOO_SMALL',
      where: 'grounding-dino',
      what,
      fix: 'Use fewer queries, larger images or more feature levels',
    });
  }
  const { proposing, proposals } = geometry;

  const picks = tf.tidy(() => {
    const vision = context.detach(features.vision);
    const text = context.detach(features.text);
    const objects = describe(head, vision, proposing) as tf.Tensor3D; // [B, S, d]
    const logits = tf.add(classEmbed.forward(objects, text), tokenBias.reshape([b, 1, -1])); // [B, S, T]
    const { indices } = tf.topk(tf.max(logits, 2), numQueries); // [B, Q]
    const index = indices as tf.Tensor2D;
    const offset = tf.tensor2d(
      Int32Array.from({ length: b }, (_, i) => i * s),
      [b, 1],
      'int32',
    );
    const flat = tf.add(index, offset).reshape([b * numQueries]); // rows of [B * S]
    const shared = proposals.shape[0] === 1 ? index.reshape([b * numQueries]) : flat; // without a mask all samples share them
    const gather = (x: tf.Tensor3D) => tf.gather(x.reshape([-1, x.shape[2]]), shared as tf.Tensor1D);
    return { index: flat, proposing: gather(proposing), proposals: gather(proposals) };
  });
  const inputs = { ...features, ...picks } as {
    vision: tf.Tensor;
    text: tf.Tensor;
    index: tf.Tensor;
    proposing: tf.Tensor;
    proposals: tf.Tensor;
  };
  const owners: Module[] = [output, norm, bboxEmbed, classEmbed];
  return context.block(owners, inputs, (x) => {
    const picked = tf.gather(x.vision.reshape([b * s, d]), x.index as tf.Tensor1D); // [B * Q, d]
    const objects = describe(head, picked, x.proposing); // [B * Q, d]
    const boxes = tf.sigmoid(tf.add(bboxEmbed.forward(objects), x.proposals)); // [B * Q, 4]
    const found = objects.reshape([b, numQueries, d]) as tf.Tensor3D;
    return {
      objects: found,
      logits: classEmbed.forward(found, x.text as tf.Tensor3D),
      predBoxes: boxes.reshape([b, numQueries, 4]) as tf.Tensor3D,
    };
  });
}
