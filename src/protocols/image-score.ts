import { mean } from '../metrics/index.js';
import type { TargetRow } from './row.js';

/** An image's contribution to the means of its dataset. Fractions in [0, 1]. */
export interface ImageScore {
  readonly dataset: string;
  readonly image: string;
  /** Unique across datasets. */
  readonly group: string;
  readonly dsc: number;
  readonly iou: number;
  readonly hd95: number;
  readonly nsd: number;
  /** Whether none of the image's structures were found. */
  readonly falseNegative: boolean;
  /** Whether it enters the means: the paper leaves out false negatives. */
  readonly counts: boolean;
}

/**
 * One score per image with a structure: the mean over its structures, false negatives counting 0. Under the paper's protocol each
 * row is a separate item.
 */
export function foldImages(rows: readonly TargetRow[]): ImageScore[] {
  const byImage = new Map<string, TargetRow[]>();
  for (const row of rows) {
    if (!row.shown) continue;
    const key = JSON.stringify(row.protocol === 'paper' ? [row.dataset, row.image, row.target] : [row.dataset, row.image]);
    const known = byImage.get(key);
    if (known === undefined) byImage.set(key, [row]);
    else known.push(row);
  }
  return [...byImage.values()].map(imageScore);
}

function imageScore(rows: readonly TargetRow[]): ImageScore {
  const [{ dataset, image, group, protocol }] = rows as [TargetRow];
  const over = (pick: (row: TargetRow) => number) => mean(rows.map(pick));
  const falseNegative = rows.every((row) => row.falseNegative);
  return {
    dataset,
    image,
    group: `${dataset}/${group}`,
    dsc: over((row) => row.dsc),
    iou: over((row) => row.iou),
    hd95: over((row) => row.hd95),
    nsd: over((row) => row.nsd),
    falseNegative,
    counts: protocol === 'strict' || !falseNegative,
  };
}
