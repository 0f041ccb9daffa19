import { tf } from '../backend/index.js';
import { assertShape, SonogroundError } from '../util/index.js';
import { giouLoss, l1Loss } from './box-losses.js';
import { sigmoidFocalLoss } from './focal.js';
import { type Match, type MatchCosts, matchQueries } from './matcher.js';
import type { DetectionTarget } from './target.js';

/** Weights of the parts of the loss. */
export interface LossWeights {
  readonly class: number;
  readonly bbox: number;
  readonly giou: number;
  /** Multiplies the loss of every decoder layer but the last. 0 leaves them out. */
  readonly auxiliary: number;
  /** Multiplies the loss of the encoder's proposals. 0 leaves it out. */
  readonly encoder: number;
}

/** Logits [B, Q, T] over the tokens of the prompt and boxes [B, Q, 4] as centre and size. */
export interface LayerOutputs {
  readonly logits: tf.Tensor3D;
  readonly predBoxes: tf.Tensor3D;
}

export interface DetectionOutputs {
  /** One for each decoder layer, the last one being the answer. */
  readonly layers: readonly LayerOutputs[];
  readonly encoder: LayerOutputs | undefined;
}

export interface CriterionOptions {
  readonly weights: LossWeights;
  readonly costs: MatchCosts;
  /** Default: 0.25. */
  readonly focalAlpha?: number;
  /** Default: 2. */
  readonly focalGamma?: number;
  /** How many of the encoder's proposals answer for each object. Default: 1. More teach the first stage faster. */
  readonly encoderMatches?: number;
}

export interface CriterionReport {
  readonly total: number;
  /** Unweighted parts of the last layer (`class`, `bbox`, `giou`) and the weighted sums `auxiliary` and `encoder`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Each output with the gradient of the total there. The gradients belong to the caller. */
  readonly gradients: (readonly [tf.Tensor, tf.Tensor])[];
}

interface Head {
  readonly outputs: LayerOutputs;
  readonly weight: number;
  readonly term: 'last' | 'auxiliary' | 'encoder';
  readonly copies: number;
}

/**
 * Focal loss over tokens, L1 and GIoU on matched boxes, for every layer with a matching of its own. A token of an object's
 * phrase is a target of 1 for the query that answers for the object, everything else is 0; padding tokens do not count. All
 * parts are divided by the number of matched boxes.
 *
 * Prompts may differ within a batch: targets name tokens of their own image's prompt.
 */
export class DetectionCriterion {
  private readonly options: CriterionOptions;

  constructor(options: CriterionOptions) {
    this.options = options;
  }

  /**
   * Matches on the host, then takes the loss and its gradients at the outputs.
   *
   * @param textMask - [B, T] i32, 1 where there is a token.
   * @param targets - one for each image; an image without objects teaches only what is not there.
   * @throws SonogroundError when shapes do not fit, a target names a token that the prompt does not have, or a box or a logit
   * to be matched is not a number.
   */
  async evaluate(
    outputs: DetectionOutputs,
    textMask: tf.Tensor2D,
    targets: readonly DetectionTarget[],
    { gradients = true }: { readonly gradients?: boolean } = {},
  ): Promise<CriterionReport> {
    const heads = this.headsOf(outputs);
    for (const { outputs: layer } of heads) assertFits(layer, textMask, targets);
    const matches = await Promise.all(heads.map(({ outputs: layer, copies }) => this.matchLayer(layer, targets, copies)));
    const losses = heads.map((head, i) => {
      const constants = layerConstants(head.outputs, textMask, targets, matches[i] as Match[][]);
      const parts = (logits: tf.Tensor, boxes: tf.Tensor) => this.parts(logits as tf.Tensor3D, boxes as tf.Tensor3D, constants);
      const { values, dLogits, dBoxes } = tf.tidy(() => this.layerLoss(head, parts, gradients));
      tf.dispose({ ...constants });
      const { logits, predBoxes } = head.outputs;
      const atOutputs = dLogits && dBoxes ? [[logits, dLogits] as const, [predBoxes, dBoxes] as const] : [];
      return { head, values, atOutputs };
    });
    const values = await Promise.all(losses.map(({ values }) => values.data<'float32'>()));
    tf.dispose(losses.map((loss) => loss.values));
    const terms: Record<string, number> = {};
    let total = 0;
    for (const [i, { head }] of losses.entries()) {
      const [weighted = 0, classPart = 0, bbox = 0, giou = 0] = values[i] as Float32Array;
      total += weighted;
      if (head.term === 'last') Object.assign(terms, { class: classPart, bbox, giou });
      else terms[head.term] = (terms[head.term] ?? 0) + weighted;
    }
    return { total, terms, gradients: losses.flatMap(({ atOutputs }) => atOutputs) };
  }

  private headsOf({ layers, encoder }: DetectionOutputs): Head[] {
    const { weights, encoderMatches = 1 } = this.options;
    const last = layers.length - 1;
    const heads: Head[] = layers.map((outputs, i) =>
      i === last
        ? { outputs, weight: 1, term: 'last', copies: 1 }
        : { outputs, weight: weights.auxiliary, term: 'auxiliary', copies: 1 },
    );
    if (encoder !== undefined) heads.push({ outputs: encoder, weight: weights.encoder, term: 'encoder', copies: encoderMatches });
    return heads.filter(({ weight }) => weight > 0);
  }

  private async matchLayer(
    { logits, predBoxes }: LayerOutputs,
    targets: readonly DetectionTarget[],
    copies: number,
  ): Promise<Match[][]> {
    const [, queries, tokens] = logits.shape;
    const [logitValues, boxValues] = await Promise.all([logits.data<'float32'>(), predBoxes.data<'float32'>()]);
    return targets.map((target, b) => {
      const image = {
        logits: logitValues.subarray(b * queries * tokens, (b + 1) * queries * tokens),
        boxes: boxValues.subarray(b * queries * 4, (b + 1) * queries * 4),
        queries,
        tokens,
      };
      return matchQueries(image, target, this.options.costs, copies);
    });
  }

  private layerLoss(
    { outputs: { logits, predBoxes }, weight }: Head,
    parts: (logits: tf.Tensor, boxes: tf.Tensor) => tf.Tensor[],
    gradients: boolean,
  ): { values: tf.Tensor; dLogits?: tf.Tensor; dBoxes?: tf.Tensor } {
    const { weights } = this.options;
    const weigh = ([classPart, bbox, giou]: tf.Tensor[]) =>
      tf.mul(
        tf.addN([
          tf.mul(classPart as tf.Tensor, weights.class),
          tf.mul(bbox as tf.Tensor, weights.bbox),
          tf.mul(giou as tf.Tensor, weights.giou),
        ]),
        weight,
      ) as tf.Scalar;
    const unweighted = parts(logits, predBoxes);
    const values = tf.stack([weigh(unweighted), ...unweighted]);
    if (!gradients) return { values };
    const [dLogits, dBoxes] = tf.grads((l, b) => weigh(parts(l as tf.Tensor, b as tf.Tensor)))([logits, predBoxes]) as [
      tf.Tensor,
      tf.Tensor,
    ];
    return { values, dLogits, dBoxes };
  }

  private parts(
    logits: tf.Tensor3D,
    boxes: tf.Tensor3D,
    { positive, counted, wanted, answers, divisor }: LayerConstants,
  ): tf.Tensor[] {
    const { focalAlpha = 0.25, focalGamma = 2 } = this.options;
    const focal = sigmoidFocalLoss(logits, positive, { alpha: focalAlpha, gamma: focalGamma });
    const flat = tf.reshape(boxes, [-1, 4]); // [B Q, 4]
    const sums = [tf.sum(tf.mul(focal, counted)), l1Loss(flat, wanted, answers), giouLoss(flat, wanted, answers)];
    return sums.map((sum) => tf.div(sum, divisor));
  }
}

function assertFits({ logits, predBoxes }: LayerOutputs, textMask: tf.Tensor2D, targets: readonly DetectionTarget[]): void {
  const [b, q, t] = logits.shape;
  assertShape(predBoxes, [b, q, 4], 'DetectionCriterion: predBoxes');
  assertShape(textMask, [b, t], 'DetectionCriterion: textMask');
  if (targets.length !== b)
    throw new SonogroundError({ where: 'DetectionCriterion', what: `${b} images, but ${targets.length} targets` });
  for (const [i, { boxesCxcywh, tokens }] of targets.entries()) {
    const where = `target of image ${i}`;
    if (boxesCxcywh.length !== tokens.length)
      throw new SonogroundError({ where, what: `${boxesCxcywh.length} boxes, but tokens of ${tokens.length} objects` });
    const outside = tokens.flat().find((token) => token < 0 || token >= t);
    if (outside !== undefined) throw new SonogroundError({ where, what: `token ${outside} of a prompt of ${t} tokens` });
  }
}

interface LayerConstants {
  /** [B, Q, T] f32: 1 on the tokens that a query answers for. */
  readonly positive: tf.Tensor3D;
  /** [B, 1, T] f32: 1 on tokens, 0 on padding. */
  readonly counted: tf.Tensor3D;
  /** [B Q, 4] f32: the box that each query answers for; any box where it answers for none. */
  readonly wanted: tf.Tensor2D;
  /** [B Q] f32: 1 where a query answers for an object. Weighing all boxes spares a gather, whose gradient is slow. */
  readonly answers: tf.Tensor1D;
  /** What sums are divided by. */
  readonly divisor: tf.Scalar;
}

function layerConstants(
  { logits }: LayerOutputs,
  textMask: tf.Tensor2D,
  targets: readonly DetectionTarget[],
  matches: readonly Match[][],
): LayerConstants {
  const [b, q, t] = logits.shape;
  const positive = new Float32Array(b * q * t);
  const wanted = new Float32Array(b * q * 4).fill(0.5);
  const answers = new Float32Array(b * q);
  for (const [i, target] of targets.entries()) {
    for (const { query, object } of matches[i] as Match[]) {
      const row = i * q + query;
      for (const token of target.tokens[object] as readonly number[]) positive[row * t + token] = 1;
      wanted.set(target.boxesCxcywh[object] as readonly [number, number, number, number], row * 4);
      answers[row] = 1;
    }
  }
  const objects = targets.reduce((sum, { boxesCxcywh }) => sum + boxesCxcywh.length, 0);
  const matched = matches.reduce((sum, image) => sum + image.length, 0);
  return {
    positive: tf.tensor3d(positive, [b, q, t]),
    counted: tf.tidy(() => tf.expandDims(tf.cast(textMask, 'float32'), 1) as tf.Tensor3D),
    wanted: tf.tensor2d(wanted, [b * q, 4]),
    answers: tf.tensor1d(answers),
    divisor: tf.scalar(Math.max(objects, matched, 1)),
  };
}
