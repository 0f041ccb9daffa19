import munkres from 'munkres';
import { SonogroundError } from '../util/index.js';
import type { DetectionTarget } from './target.js';

/** What a mismatch costs when queries are assigned to objects. */
export interface MatchCosts {
  readonly class: number;
  readonly bbox: number;
  readonly giou: number;
}

/** The answers of one image. */
export interface ImagePrediction {
  /** [Q, T] row-major logits. */
  readonly logits: Float32Array;
  /** [Q, 4] centre and size, normalised. */
  readonly boxes: Float32Array;
  readonly queries: number;
  readonly tokens: number;
}

/** Query `query` answers for object `object`. */
export interface Match {
  readonly query: number;
  readonly object: number;
}

const FOCAL_ALPHA = 0.25;
const TINY = 1e-8;

/**
 * Assigns each object `copies` queries, no query to two objects, at the least total cost (Hungarian method).
 *
 * @throws SonogroundError when a cost is not a number, which means that the model's outputs are not.
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

/** The cost of each query for one object. */
function costColumn(
  { logits, boxes, queries, tokens }: ImagePrediction,
  target: DetectionTarget,
  object: number,
  costs: MatchCosts,
): number[] {
  const [cx, cy, w, h] = target.boxesCxcywh[object] as readonly [number, number, number, number];
  const named = target.tokens[object] as readonly number[];
  return Array.from({ length: queries }, (_, q) => {
    let classCost = 0;
    for (const t of named) classCost += focalCost(logits[q * tokens + t] as number) / named.length;
    const [px, py, pw, ph] = boxes.subarray(q * 4, q * 4 + 4) as unknown as [number, number, number, number];
    const l1 = Math.abs(px - cx) + Math.abs(py - cy) + Math.abs(pw - w) + Math.abs(ph - h);
    const giou = giouOf([px, py, pw, ph], [cx, cy, w, h]);
    const cost = costs.class * classCost + costs.bbox * l1 - costs.giou * giou;
    if (Number.isFinite(cost)) return cost;
    throw new SonogroundError({
      where: 'matching',
      what: `query ${q} has a logit or a box that is not finite`,
      fix: 'Lower the learning rate, or look at the images of this step',
    });
  });
}

/** What the focal loss would change if this logit's target were 1 instead of 0. */
function focalCost(logit: number): number {
  const p = 1 / (1 + Math.exp(-logit));
  const positive = FOCAL_ALPHA * (1 - p) ** 2 * -Math.log(p + TINY);
  const negative = (1 - FOCAL_ALPHA) * p ** 2 * -Math.log(1 - p + TINY);
  return positive - negative;
}

type Cxcywh = readonly [number, number, number, number];

/** Generalised IoU of two boxes. */
export function giouOf([ax, ay, aw, ah]: Cxcywh, [bx, by, bw, bh]: Cxcywh): number {
  const overlap = (a: number, b: number, la: number, lb: number) =>
    Math.max(0, Math.min(a + la / 2, b + lb / 2) - Math.max(a - la / 2, b - lb / 2));
  const span = (a: number, b: number, la: number, lb: number) =>
    Math.max(a + la / 2, b + lb / 2) - Math.min(a - la / 2, b - lb / 2);
  const shared = overlap(ax, bx, aw, bw) * overlap(ay, by, ah, bh);
  const joined = aw * ah + bw * bh - shared;
  const hull = span(ax, bx, aw, bw) * span(ay, by, ah, bh);
  return shared / Math.max(joined, 1e-7) - (hull - joined) / Math.max(hull, 1e-7);
}
