/** One threshold of a receiver operating characteristic: a score from the threshold on counts as present. */
interface RocPoint {
  readonly threshold: number;
  /** Share of the absent ones that count as present, in [0, 1]. */
  readonly falseAlarmRate: number;
  /** Share of the present ones that count as present, in [0, 1]. */
  readonly detectionRate: number;
}

export interface Roc {
  /** From the threshold that nothing reaches to the lowest score. */
  readonly points: readonly RocPoint[];
  /** Area under the curve; not a number where one of the two classes is empty. */
  readonly auc: number;
}

/**
 * The receiver operating characteristic of scores, with one point for each distinct score.
 *
 * @param present - scores where the thing is there. @param absent - scores where it is not.
 * @throws RangeError when a score is NaN, which has no place in any order.
 */
export function rocCurve(present: readonly number[], absent: readonly number[]): Roc {
  refuseNaN('rocCurve', [...present, ...absent]);
  const scored = [...present.map((score) => ({ score, there: 1 })), ...absent.map((score) => ({ score, there: 0 }))];
  scored.sort((a, b) => b.score - a.score);
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, falseAlarmRate: 0, detectionRate: 0 }];
  let [hits, alarms, area] = [0, 0, 0];
  for (let i = 0; i < scored.length; ) {
    const threshold = (scored[i] as { score: number }).score;
    for (; i < scored.length && scored[i]?.score === threshold; i++) {
      if (scored[i]?.there === 1) hits += 1;
      else alarms += 1;
    }
    const last = points[points.length - 1] as RocPoint;
    const point = { threshold, falseAlarmRate: alarms / absent.length, detectionRate: hits / present.length };
    area += ((point.falseAlarmRate - last.falseAlarmRate) * (point.detectionRate + last.detectionRate)) / 2;
    points.push(point);
  }
  return { points, auc: present.length === 0 || absent.length === 0 ? Number.NaN : area };
}

/**
 * The lowest threshold at which at most a share `rate` of the absent ones counts as present (a score counts from the
 * threshold on): just above the first score that would be one alarm too many.
 *
 * @throws RangeError without scores, for a score that is NaN, or for a rate outside [0, 1].
 */
export function thresholdForFalseAlarms(absent: readonly number[], rate: number): number {
  if (absent.length === 0) throw new RangeError('thresholdForFalseAlarms: there is no score');
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`thresholdForFalseAlarms: ${rate} is not a share`);
  refuseNaN('thresholdForFalseAlarms', absent);
  const best = [...absent].sort((a, b) => b - a);
  // Rounding must not cost an alarm: 0.15 of 20 is 3.
  const allowed = Math.floor(rate * absent.length + 1e-9);
  const first = best[allowed];
  return first === undefined ? 0 : nextAbove(first);
}

function refuseNaN(where: string, scores: readonly number[]): void {
  if (scores.some(Number.isNaN)) throw new RangeError(`${where}: a score is NaN`);
}

/** The smallest double above a number that is not negative. */
function nextAbove(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}
