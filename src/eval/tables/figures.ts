import type { Ends } from '../summary/dataset-score.js';

/** `83.21 ± 15.60`; null without a mean. */
export function meanStd(mean: number | null | undefined, std: number | null | undefined): string | null {
  if (mean === null || mean === undefined) return null;
  return std === null || std === undefined ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${std.toFixed(2)}`;
}

/** Formats with two decimals. */
export function figure(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : value.toFixed(2);
}

/** `80.10 to 86.52`; null without an interval. */
export function between(ends: Ends | null): string | null {
  return ends === null ? null : `${ends[0].toFixed(2)} to ${ends[1].toFixed(2)}`;
}

/** `83.2 %`; a dash if there is no number. */
export function percentText(value: number | null | undefined, digits = 1): string {
  return value === null || value === undefined ? '–' : `${value.toFixed(digits)} %`;
}
