import munkres from 'munkres';
import { SonogroundError } from '../util/index.js';
import type { DetectionTarget } from './target.js';

/** Cost weights of the assignment of queries to objects. */
export interface MatchCosts {
  readonly class: number;
  readonly bbox: number;
  readonly giou: number;
}

/** The predictions for one image. */
export interface ImagePrediction {
  /** [Q, T] row-major logits. */
  readonly logits: Float32Array;
  /** [Q, 4] centre and size, normalised. */
  readonly boxes: Float32Array;
  readonly queries: number;
  readonly tokens: number;
}

/** An assignment of query `query` to object `object`. */
export interface Match {
  readonly query: number;
  readonly object: number;
}

const FOCAL_ALPHA = 0.25;
const TINY = 1e-8;

/**
 * Assigns `copies` queries to each object, each query at most once, with minimal total cost (Hungarian algorithm).
 *
 * @throws SonogroundError when a cost is NaN, which means that the model's outputs are.
 * @see Carion et al. 2020, section 3.1; transformers `GroundingDinoHungarianMatcher`
 */
export function matchQueries(prediction: ImagePrediction, target: DetectionTarget, costs: MatchCosts, copies = 1): Match[] {
  const objects = target.boxesCxcywh.length;
  if (objects === 0) return [];
  const perObject = Math.max(1, Math.min(copies, Math.floor(prediction.queries / objects)));
  const columns = Array.from({ length: objects }, (_, object) => costColumn(prediction, target, object, costs));
  const matrix = Array.from({ length: objects * perObject }, (_, row) => columns[Math.floor(row / perObject)] as number[]);
  return munkres(matrix).map(([row, query]) => ({ query, object: Math.floor(row / perObject) }));
}

/** The cost of each query for one object. Optimised for speed: runs for every query, object and layer of a step. */
function costColumn(
  { logits, boxes, queries, tokens }: ImagePrediction,
  target: DetectionTarget,
  object: number,
  costs: MatchCosts,
): number[] {
  const wanted = target.boxesCxcywh[object] as Cxcywh;
  const named = target.tokens[object] as readonly number[];
  const predicted: [number, number, number, number] = [0, 0, 0, 0];
  const column = new Array<number>(queries);
  for (let q = 0; q < queries; q++) {
    let classCost = 0;
    for (let i = 0; i < named.length; i++) classCost += focalCost(logits[q * tokens + (named[i] as number)] as number);
    let l1 = 0;
    for (let i = 0; i < 4; i++) {
      const side = boxes[q * 4 + i] as number;
      predicted[i] = side;
      l1 += Math.abs(side - (wanted[i] as number));
    }
    const cost = (costs.class * classCost) / Math.max(named.length, 1) + costs.bbox * l1 - costs.giou * giouOf(predicted, wanted);
    if (!Number.isFinite(cost)) {
      throw new SonogroundError({
        code: 'E_LOSS_NOT_FINITE',
        where: 'matching',
        what: `query ${q} has a logit or a box that is not finite`,
        fix: 'Lower the learning rate, or look at the images of this step',
      });
    }
    column[q] = cost;
  }
  return column;
}

/** Change of the focal loss if this logit's target were 1 instead of 0. */
function focalCost(logit: number): number {
  const p = 1 / (1 + Math.exp(-logit));
  const miss = 1 - p;
  return (1 - FOCAL_ALPHA) * p * p * Math.log(miss + TINY) - FOCAL_ALPHA * miss * miss * Math.log(p + TINY);
}

/** Centre and size. */
export type Cxcywh = readonly [number, number, number, number];

/** IoU of two boxes. */
export function iouOf(a: Cxcywh, b: Cxcywh): number {
  const shared = sharedArea(a, b);
  return shared / Math.max(a[2] * a[3] + b[2] * b[3] - shared, 1e-7);
}

/** Generalised IoU of two boxes. */
export function giouOf(a: Cxcywh, b: Cxcywh): number {
  const shared = sharedArea(a, b);
  const hull = span(a[0], a[2], b[0], b[2]) * span(a[1], a[3], b[1], b[3]);
  const joined = a[2] * a[3] + b[2] * b[3] - shared;
  return shared / Math.max(joined, 1e-7) - (hull - joined) / Math.max(hull, 1e-7);
}

function sharedArea(a: Cxcywh, b: Cxcywh): number {
  return Math.max(0, overlap(a[0], a[2], b[0], b[2])) * Math.max(0, overlap(a[1], a[3], b[1], b[3]));
}

/** Overlap of two intervals, given centres and lengths; negative if they are disjoint. */
function overlap(a: number, aLength: number, b: number, bLength: number): number {
  return Math.min(a + aLength / 2, b + bLength / 2) - Math.max(a - aLength / 2, b - bLength / 2);
}

/** Length of the smallest interval that encloses two. */
function span(a: number, aLength: number, b: number, bLength: number): number {
  return Math.max(a + aLength / 2, b + bLength / 2) - Math.min(a - aLength / 2, b - bLength / 2);
}
