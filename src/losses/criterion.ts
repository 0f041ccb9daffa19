import { tf } from '../backend/index.js';
import { assertShape, SonogroundError } from '../util/index.js';
import { giouLoss, l1Loss } from './box-losses.js';
import { cellLoss } from './cell-loss.js';
import type { CellOutputs } from './cell-targets.js';
import { type FocalOptions, qualityFocalLoss, sigmoidFocalLoss } from './focal.js';
import { type HeadTargets, headTargets, type MatchedBox } from './head-targets.js';
import { type Cxcywh, iouOf, type MatchCosts, matchQueries } from './matcher.js';
import type { DetectionTarget } from './target.js';

/** Weights of the loss terms. */
interface LossWeights {
  readonly class: number;
  readonly bbox: number;
  readonly giou: number;
  /** Weight of the loss of every decoder layer but the last. 0 disables it. */
  readonly auxiliary: number;
  /** Weight of the loss of the encoder's proposals. 0 disables it. */
  readonly encoder: number;
  /**
   * Weight of the class loss of all the encoder's cells, by which it selects its proposals: targets are the masks (see
   * `cellTargets`). It takes the place of the class loss of matched proposals. Default: 0, as in the paper.
   */
  readonly cells?: number;
}

/** Logits [B, Q, T] over the tokens of the prompt and boxes [B, Q, 4] as centre and size. */
interface LayerOutputs {
  readonly logits: tf.Tensor3D;
  readonly predBoxes: tf.Tensor3D;
}

export interface DetectionOutputs {
  /** One per decoder layer; the last is the final prediction. */
  readonly layers: readonly LayerOutputs[];
  readonly encoder: LayerOutputs | undefined;
  /** Needed if cells have a weight. */
  readonly cells?: CellOutputs | undefined;
}

export interface CriterionOptions {
  readonly weights: LossWeights;
  readonly costs: MatchCosts;
  /** Default: 0.25. */
  readonly focalAlpha?: number;
  /** Default: 2. */
  readonly focalGamma?: number;
  /** Number of the encoder's proposals matched to each object. Default: 1. More train the first stage faster. */
  readonly encoderMatches?: number;
  /**
   * Number of queries of each decoder layer matched to each object. Default: 1, as in DETR. More provide more positives in an
   * image of one object, and rely on NMS to remove duplicates (Ouyang-Zhang et al. 2022, "NMS strikes back").
   */
  readonly decoderMatches?: number;
  /**
   * The target of a matched query is the IoU of its box in place of 1, so that scores rank boxes by how well they fit, and a query
   * that was matched for want of a better one does not learn that its place shows the object. Default: false, as in the paper.
   */
  readonly iouTargets?: boolean;
}

export interface CriterionReport {
  readonly total: number;
  /** Unweighted terms of the last layer (`class`, `bbox`, `giou`) and the weighted sums `auxiliary`, `encoder` and `cells`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Each output with the gradient of the total with respect to it. The gradients belong to the caller. */
  readonly gradients: (readonly [tf.Tensor, tf.Tensor])[];
}

interface Head {
  readonly outputs: LayerOutputs;
  readonly weight: number;
  readonly term: 'last' | 'auxiliary' | 'encoder';
  readonly copies: number;
  readonly weights: Parts;
}

/**
 * Focal loss over tokens, L1 and GIoU on matched boxes, for every layer with its own matching. The targets of a matched query are
 * 1, or the IoU of its box, on the tokens of its object's phrase; all other targets are 0, and padding tokens are ignored. All terms
 * are divided by the number of objects in the batch (at least 1) times the number of queries matched to each.
 *
 * Prompts may differ within a batch: targets refer to tokens of their own image's prompt.
 */
export class DetectionCriterion {
  private readonly options: CriterionOptions;

  constructor(options: CriterionOptions) {
    this.options = options;
  }

  /** Whether {@link evaluate} needs the logits of all cells. */
  get scoresCells(): boolean {
    return (this.options.weights.cells ?? 0) > 0;
  }

  /**
   * Matches on the host, then computes the loss and its gradients with respect to the outputs, for all layers at once.
   *
   * @param outputs - all of one shape.
   * @param textMask - [B, T] i32, 1 for tokens, 0 for padding.
   * @param targets - one per image; an image without objects only provides negatives.
   * @throws SonogroundError when shapes do not fit, a target names a token that the prompt does not have, or a box or logit to be
   * matched is NaN.
   */
  async evaluate(
    outputs: DetectionOutputs,
    textMask: tf.Tensor2D,
    targets: readonly DetectionTarget[],
    { gradients = true }: { readonly gradients?: boolean } = {},
  ): Promise<CriterionReport> {
    const heads = this.headsOf(outputs);
    for (const { outputs: layer } of heads) assertFits(layer, outputs.layers[0] ?? layer, textMask);
    assertTargets(targets, textMask);
    const logits = tf.stack(heads.map((head) => head.outputs.logits)) as tf.Tensor4D; // [L, B, Q, T]
    const boxes = tf.stack(heads.map((head) => head.outputs.predBoxes)) as tf.Tensor4D; // [L, B, Q, 4]
    try {
      const matches = await this.match(heads, logits, boxes, targets);
      const copies = heads.map((head) => head.copies);
      const { parts, dLogits, dBoxes } = tf.tidy(() => {
        const constants = headTargets(copies, logits, textMask, targets, matches, this.options.iouTargets ?? false);
        if (!gradients) return { parts: this.parts(logits, boxes, constants) };
        const weights = tf.transpose(tf.tensor2d(heads.map((head) => head.weights.map((part) => part * head.weight))));
        const { value, grads } = tf.valueAndGrads((l, b) => this.parts(l as tf.Tensor4D, b as tf.Tensor4D, constants))(
          [logits, boxes],
          weights,
        );
        return { parts: value, dLogits: tf.unstack(grads[0] as tf.Tensor), dBoxes: tf.unstack(grads[1] as tf.Tensor) };
      });
      const values = await parts.data<'float32'>();
      parts.dispose();
      const atOutputs = heads.flatMap(({ outputs: layer }, i) => [
        [layer.logits as tf.Tensor, dLogits?.[i]] as const,
        [layer.predBoxes as tf.Tensor, dBoxes?.[i]] as const,
      ]);
      const found = atOutputs.filter((pair): pair is readonly [tf.Tensor, tf.Tensor] => pair[1] !== undefined);
      const sums = this.sums(heads, values);
      if (!this.scoresCells) return { ...sums, gradients: found };
      const cells = await this.cellLoss(outputs, textMask, targets, gradients);
      const terms = { ...sums.terms, cells: cells.total };
      return { total: sums.total + cells.total, terms, gradients: [...found, ...cells.gradients] };
    } finally {
      tf.dispose([logits, boxes]);
    }
  }

  private get focal(): FocalOptions {
    const { focalAlpha: alpha = 0.25, focalGamma: gamma = 2 } = this.options;
    return { alpha, gamma };
  }

  private headsOf({ layers, encoder }: DetectionOutputs): Head[] {
    const { weights, encoderMatches = 1, decoderMatches: copies = 1 } = this.options;
    const last = layers.length - 1;
    const parts: Parts = [weights.class, weights.bbox, weights.giou];
    const heads: Head[] = layers.map((outputs, i) =>
      i === last
        ? { outputs, weight: 1, term: 'last', copies, weights: parts }
        : { outputs, weight: weights.auxiliary, term: 'auxiliary', copies, weights: parts },
    );
    if (encoder !== undefined) {
      const own: Parts = [this.scoresCells ? 0 : weights.class, weights.bbox, weights.giou];
      heads.push({ outputs: encoder, weight: weights.encoder, term: 'encoder', copies: encoderMatches, weights: own });
    }
    return heads.filter(({ weight }) => weight > 0);
  }

  /** The matches of each image for each head, with the IoU of the matched box. */
  private async match(
    heads: readonly Head[],
    logits: tf.Tensor4D,
    boxes: tf.Tensor4D,
    targets: readonly DetectionTarget[],
  ): Promise<MatchedBox[][][]> {
    const [, b, queries, tokens] = logits.shape;
    const [logitValues, boxValues] = await Promise.all([logits.data<'float32'>(), boxes.data<'float32'>()]);
    return heads.map(({ copies }, l) =>
      targets.map((target, i) => {
        const at = l * b + i;
        const image = {
          logits: logitValues.subarray(at * queries * tokens, (at + 1) * queries * tokens),
          boxes: boxValues.subarray(at * queries * 4, (at + 1) * queries * 4),
          queries,
          tokens,
        };
        return matchQueries(image, target, this.options.costs, copies).map((match) => {
          const box = image.boxes.subarray(match.query * 4, match.query * 4 + 4) as unknown as Cxcywh;
          return { ...match, iou: iouOf(box, target.boxesCxcywh[match.object] as Cxcywh) };
        });
      }),
    );
  }

  /** Unweighted class, L1 and GIoU terms of each head: [3, L]. */
  private parts(
    logits: tf.Tensor4D,
    boxes: tf.Tensor4D,
    { positive, counted, wanted, answers, divisors }: HeadTargets,
  ): tf.Tensor2D {
    const heads = logits.shape[0];
    const flat = tf.reshape(boxes, [-1, 4]); // [L B Q, 4]
    const classLoss = this.options.iouTargets ? qualityFocalLoss : sigmoidFocalLoss;
    const focal = classLoss(logits, positive, this.focal);
    const sums = [tf.mul(focal, counted), tf.mul(l1Loss(flat, wanted), answers), tf.mul(giouLoss(flat, wanted), answers)];
    return tf.div(tf.stack(sums.map((losses) => tf.sum(tf.reshape(losses, [heads, -1]), 1))), divisors);
  }

  private async cellLoss(
    { cells }: DetectionOutputs,
    textMask: tf.Tensor2D,
    targets: readonly DetectionTarget[],
    gradients: boolean,
  ): Promise<Omit<CriterionReport, 'terms'>> {
    if (cells === undefined) {
      const what = 'the loss over cells has a weight, but the outputs lack the logits of cells';
      throw new SonogroundError({ code: 'E_SHAPE', where: 'DetectionCriterion', what });
    }
    const { value, grad } = cellLoss(cells, textMask, targets, {
      ...this.focal,
      weight: this.options.weights.cells ?? 0,
      gradients,
    });
    const [total = 0] = await value.data<'float32'>();
    value.dispose();
    return { total, gradients: grad === undefined ? [] : [[cells.logits, grad]] };
  }

  private sums(heads: readonly Head[], values: Float32Array): Pick<CriterionReport, 'total' | 'terms'> {
    const terms: Record<string, number> = {};
    let total = 0;
    for (const [l, { weight, term, weights }] of heads.entries()) {
      const [classPart, bbox, giou] = [0, 1, 2].map((part) => values[part * heads.length + l] as number) as Parts;
      const [byClass, byBox, byGiou] = weights;
      const weighted = weight * (byClass * classPart + byBox * bbox + byGiou * giou);
      total += weighted;
      if (term === 'last') Object.assign(terms, { class: classPart, bbox, giou });
      else terms[term] = (terms[term] ?? 0) + weighted;
    }
    return { total, terms };
  }
}

type Parts = [byClass: number, byBox: number, byGiou: number];

function assertFits({ logits, predBoxes }: LayerOutputs, first: LayerOutputs, textMask: tf.Tensor2D): void {
  const [b, q, t] = first.logits.shape;
  assertShape(logits, [b, q, t], 'DetectionCriterion: logits');
  assertShape(predBoxes, [b, q, 4], 'DetectionCriterion: predBoxes');
  assertShape(textMask, [b, t], 'DetectionCriterion: textMask');
}

function assertTargets(targets: readonly DetectionTarget[], { shape: [images, length] }: tf.Tensor2D): void {
  if (targets.length !== images)
    throw new SonogroundError({
      code: 'E_SHAPE',
      where: 'DetectionCriterion',
      what: `${images} images, but ${targets.length} targets`,
    });
  for (const [i, { boxesCxcywh, tokens }] of targets.entries()) {
    const where = `target of image ${i}`;
    if (boxesCxcywh.length !== tokens.length)
      throw new SonogroundError({
        code: 'E_SHAPE',
        where,
        what: `${boxesCxcywh.length} boxes, but tokens of ${tokens.length} objects`,
      });
    const outside = tokens.flat().find((token) => token < 0 || token >= length);
    if (outside !== undefined)
      throw new SonogroundError({ code: 'E_SHAPE', where, what: `token ${outside} of a prompt of ${length} tokens` });
  }
}
