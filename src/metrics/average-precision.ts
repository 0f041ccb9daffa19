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
const RECALL_POINTS = Array.from({ length: 101 }, (_, i) => i / 100);

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
  return THRESHOLDS.map((threshold) => {
    const judged = rows.flatMap(({ answers, overlaps }) => {
      const hits = greedyHits(overlaps, threshold);
      return answers.map(({ score }, i) => ({ score, hit: hits[i] as boolean }));
    });
    judged.sort((a, b) => b.score - a.score);
    return areaUnder(
      judged.map(({ hit }) => hit),
      total,
    );
  });
}

/** Whether each detection, best first, matches a ground-truth box that no earlier one has taken. */
function greedyHits(overlaps: readonly (readonly number[])[], threshold: number): boolean[] {
  const taken = new Set<number>();
  return overlaps.map((row) => {
    let best = -1;
    // An IoU of exactly 0.5 must meet a threshold of 0.5 despite rounding.
    let least = threshold - 1e-10;
    for (const [j, overlap] of row.entries()) {
      if (taken.has(j) || overlap < least) continue;
      least = overlap;
      best = j;
    }
    if (best >= 0) taken.add(best);
    return best >= 0;
  });
}

/** Mean over the recall points of the maximum precision at that recall or above. */
function areaUnder(hits: readonly boolean[], total: number): number {
  let found = 0;
  const curve = hits.map((hit, i) => {
    if (hit) found += 1;
    return { recall: found / total, precision: found / (i + 1) };
  });
  let [best, k] = [0, curve.length - 1];
  let sum = 0;
  for (const point of [...RECALL_POINTS].reverse()) {
    for (; k >= 0 && (curve[k] as { recall: number }).recall >= point; k--) {
      best = Math.max(best, (curve[k] as { precision: number }).precision);
    }
    sum += best;
  }
  return sum / RECALL_POINTS.length;
}
