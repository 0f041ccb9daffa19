import type { Score } from '../eval/index.js';

/** One line that says how good a result is. */
export function scoreLine(label: string, { dsc, std, iou, boxIou, n, missed }: Score): string {
  return `${label}: DSC ${dsc.toFixed(2)} ± ${std.toFixed(0)} %, IoU ${iou.toFixed(2)} %, box IoU ${boxIou.toFixed(2)} %, over ${n} (${missed} missed)`;
}
