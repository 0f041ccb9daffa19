/** Learning rate schedule of a run. */
export interface Schedule {
  /**
   * - `constant`: linear warm-up, then constant.
   * - `cosine`: linear warm-up, then cosine decay to 0.
   * - `one-cycle`: cosine rise from 1/25 of the peak, then cosine decay to 1/10,000 of that, as in torch's OneCycleLR with
   *   `pct_start = warmupSteps / totalSteps`.
   */
  readonly schedule: 'constant' | 'cosine' | 'one-cycle';
  /** Peak learning rate. */
  readonly peak: number;
  /** Steps of the warm-up. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** The learning rate of a zero-based step. Constant after the last step. */
export function learningRateAt(step: number, { schedule, peak, warmupSteps, totalSteps }: Schedule): number {
  if (schedule === 'one-cycle') {
    const top = warmupSteps - 1;
    const start = peak / 25;
    return step < top ? cosine(start, peak, step / top) : cosine(peak, start / 1e4, (step - top) / (totalSteps - 1 - top));
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  return schedule === 'constant' ? peak : cosine(peak, 0, (step - warmupSteps) / (totalSteps - warmupSteps));
}

/** Cosine interpolation from `from` to `to`; `to` from a share of 1 on, and for an empty range (0/0, below 0). */
function cosine(from: number, to: number, share: number): number {
  const angle = Math.PI * (share >= 0 && share < 1 ? share : 1);
  return to + ((from - to) * (1 + Math.cos(angle))) / 2;
}
