import { type BoxCorners, boxIou } from './overlap.js';
import { mean } from './statistics.js';

/** A detected box. */
export interface ScoredBox {
  readonly box: BoxCorners;
  /** Class of the box; only boxes with equal labels are compared. */
  readonly label: string;
  readonly score: number;
}

/** A ground-truth box. */
export interface TrueBox {
  readonly box: BoxCorners;
  readonly label: string;
}

/** Detected and ground-truth boxes of one image. */
export interface ImageBoxes {
  readonly predicted: readonly ScoredBox[];
  readonly truth: readonly TrueBox[];
}

/** Fractions in [0, 1]; NaN without any ground-truth box. */
export interface AveragePrecision {
  /** Mean over IoU thresholds 0.5, 0.55, …, 0.95. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** `ap` of each label with a ground-truth box. */
  readonly perLabel: Readonly<Record<string, number>>;
}

/** Maximum number of detections per label and image, best first. As in COCO. */
const MAX_DETECTIONS = 100;
const THRESHOLDS = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);
/** From 1 to 0. */
const RECALL_POINTS = Array.from({ length: 101 }, (_, i) => (100 - i) / 100);

/**
 * Computes average precision as COCO does: for each label the mean precision at 101 recalls, then the mean over labels with at
 * least one ground-truth box.
 *
 * @see Lin et al. 2014; pycocotools `COCOeval` with all areas and 100 boxes per image
 */
export function averagePrecision(images: readonly ImageBoxes[]): AveragePrecision {
  const labels = [...new Set(images.flatMap(({ truth }) => truth.map(({ label }) => label)))].sort();
  const table = labels.map((label) => precisionsOf(images, label));
  const at = (threshold: number) => mean(table.map((row) => row[THRESHOLDS.indexOf(threshold)] as number));
  return {
    ap: mean(table.map(mean)),
    ap50: at(0.5),
    ap75: at(0.75),
    perLabel: Object.fromEntries(labels.map((label, i) => [label, mean(table[i] as number[])])),
  };
}

/** Average precision of one label at each threshold. */
function precisionsOf(images: readonly ImageBoxes[], label: string): number[] {
  const rows = images.map(({ predicted, truth }) => {
    const wanted = truth.filter((one) => one.label === label).map(({ box }) => box);
    const best = predicted.filter((one) => one.label === label).sort((a, b) => b.score - a.score);
    const answers = best.slice(0, MAX_DETECTIONS);
    return { answers, wanted, overlaps: answers.map(({ box }) => wanted.map((other) => boxIou(box, other))) };
  });
  const total = rows.reduce((sum, { wanted }) => sum + wanted.length, 0);
  const scores = rows.flatMap(({ answers }) => answers.map(({ score }) => score));
  // Best first; equal scores in the order of the images.
  const order = scores.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return THRESHOLDS.map((threshold) => {
    const hits = new Uint8Array(scores.length);
    let first = 0;
    for (const { answers, overlaps, wanted } of rows) {
      if (wanted.length > 0) markHits(hits, first, overlaps, threshold);
      first += answers.length;
    }
    return areaUnder(hits, order, total);
  });
}

/** Marks the detections of an image, best first, that match a ground-truth box that no earlier one has taken. */
function markHits(hits: Uint8Array, first: number, overlaps: readonly (readonly number[])[], threshold: number): void {
  const taken = new Set<number>();
  for (const [i, row] of overlaps.entries()) {
    let best = -1;
    // An IoU of exactly 0.5 must meet a threshold of 0.5 despite rounding.
    let least = threshold - 1e-10;
    for (let j = 0; j < row.length; j++) {
      const overlap = row[j] as number;
      if (overlap < least || taken.has(j)) continue;
      least = overlap;
      best = j;
    }
    if (best < 0) continue;
    taken.add(best);
    hits[first + i] = 1;
  }
}

/** Mean over the recall points of the maximum precision at that recall or above. @param order - best detection first. */
function areaUnder(hits: Uint8Array, order: readonly number[], total: number): number {
  const found = new Uint32Array(order.length);
  for (const [k, i] of order.entries()) found[k] = (k > 0 ? (found[k - 1] as number) : 0) + (hits[i] as number);
  let [best, k] = [0, order.length - 1];
  let sum = 0;
  for (const recall of RECALL_POINTS) {
    for (; k >= 0 && (found[k] as number) / total >= recall; k--) best = Math.max(best, (found[k] as number) / (k + 1));
    sum += best;
  }
  return sum / RECALL_POINTS.length;
}
