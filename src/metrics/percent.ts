/** A fraction in percent, with two decimals; NaN stays NaN. */
export function percent(fraction: number): number {
  return Math.round(fraction * 1e4) / 100;
}

/** {@link percent} for JSON files: null for NaN. */
export function percentOrNull(fraction: number): number | null {
  return Number.isFinite(fraction) ? percent(fraction) : null;
}

/** Rounded to two decimals; null for NaN. */
export function roundedOrNull(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 100) / 100 : null;
}
