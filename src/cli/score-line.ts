import { type DatasetScore, percentText } from '../eval/index.js';
import { counted } from '../util/index.js';

/** A one-line summary of a score. */
export function scoreLine(label: string, { dsc, std, iou, boxIou, n, falseNegatives }: DatasetScore): string {
  const spread = std === null ? '' : ` (± ${std.toFixed(0)})`;
  return `${label}: DSC ${percentText(dsc, 2)}${spread}, IoU ${percentText(iou, 2)}, box IoU ${percentText(boxIou, 2)}, over ${counted(n, 'image')} (${counted(falseNegatives, 'false negative')})`;
}
