/** One point of a receiver operating characteristic: scores from the threshold on count as positive. */
interface RocPoint {
  readonly threshold: number;
  /** False positives over all negatives, in [0, 1]. */
  readonly falsePositiveRate: number;
  /** True positives over all positives, in [0, 1]. */
  readonly detectionRate: number;
}

export interface Roc {
  /** From a threshold above all scores to the lowest score. */
  readonly points: readonly RocPoint[];
  /** Area under the curve; NaN if either class is empty. */
  readonly auc: number;
}

/**
 * Computes the receiver operating characteristic of scores, with one point per distinct score.
 *
 * @param present - scores of positives. @param absent - scores of negatives.
 * @throws RangeError when a score is NaN, which cannot be ordered.
 */
export function rocCurve(present: readonly number[], absent: readonly number[]): Roc {
  refuseNaN('rocCurve', [...present, ...absent]);
  const scored = [...present.map((score) => ({ score, there: 1 })), ...absent.map((score) => ({ score, there: 0 }))];
  scored.sort((a, b) => b.score - a.score);
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, falsePositiveRate: 0, detectionRate: 0 }];
  let [hits, alarms, area] = [0, 0, 0];
  for (let i = 0; i < scored.length; ) {
    const threshold = (scored[i] as { score: number }).score;
    for (; i < scored.length && scored[i]?.score === threshold; i++) {
      if (scored[i]?.there === 1) hits += 1;
      else alarms += 1;
    }
    const last = points[points.length - 1] as RocPoint;
    const point = { threshold, falsePositiveRate: alarms / absent.length, detectionRate: hits / present.length };
    area += ((point.falsePositiveRate - last.falsePositiveRate) * (point.detectionRate + last.detectionRate)) / 2;
    points.push(point);
  }
  return { points, auc: present.length === 0 || absent.length === 0 ? Number.NaN : area };
}

/**
 * The lowest threshold with a false positive rate of at most `rate` (scores from the threshold on count): just above the first
 * score that would exceed it.
 *
 * @throws RangeError without scores, for a NaN score, or for a rate outside [0, 1].
 */
export function thresholdForFalsePositives(absent: readonly number[], rate: number): number {
  if (absent.length === 0) throw new RangeError('thresholdForFalsePositives: there is no score');
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`thresholdForFalsePositives: ${rate} is not a share`);
  refuseNaN('thresholdForFalsePositives', absent);
  const best = [...absent].sort((a, b) => b - a);
  // Rounding must not lose an allowed false positive: 0.15 of 20 is 3.
  const allowed = Math.floor(rate * absent.length + 1e-9);
  const first = best[allowed];
  return first === undefined ? 0 : nextAbove(first);
}

function refuseNaN(where: string, scores: readonly number[]): void {
  if (scores.some(Number.isNaN)) throw new RangeError(`${where}: a score is NaN`);
}

/** The smallest double above a non-negative number. */
function nextAbove(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}
