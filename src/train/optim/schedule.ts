/** How the learning rate moves over a run. */
export interface Schedule {
  /**
   * - `constant`: rises linearly, then stays.
   * - `cosine`: rises linearly, then falls to 0 by half a cosine wave.
   * - `one-cycle`: rises from a 25th of the peak and falls to a 10,000th of that, both by half a cosine wave, as torch's
   *   OneCycleLR does with `pct_start = warmupSteps / totalSteps`.
   */
  readonly schedule: 'constant' | 'cosine' | 'one-cycle';
  /** The highest rate. */
  readonly peak: number;
  /** Steps of the rise. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** The learning rate of a step, counted from 0. After the last step it stays where it is. */
export function learningRateAt(step: number, { schedule, peak, warmupSteps, totalSteps }: Schedule): number {
  if (schedule === 'one-cycle') {
    const top = warmupSteps - 1;
    const start = peak / 25;
    return step < top ? cosine(start, peak, step / top) : cosine(peak, start / 1e4, (step - top) / (totalSteps - 1 - top));
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  return schedule === 'constant' ? peak : cosine(peak, 0, (step - warmupSteps) / (totalSteps - warmupSteps));
}

/** From `from` to `to` along half a cosine wave; `to` from a share of 1 on, and where there is no way to go (0/0, below 0). */
function cosine(from: number, to: number, share: number): number {
  const angle = Math.PI * (share >= 0 && share < 1 ? share : 1);
  return to + ((from - to) * (1 + Math.cos(angle))) / 2;
}
