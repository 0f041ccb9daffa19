/** How the learning rate moves over a run. */
export interface Schedule {
  /** `one-cycle` rises by a cosine and falls by a cosine to a ten-thousandth, as torch's OneCycleLR does. */
  readonly schedule: 'constant' | 'cosine' | 'one-cycle';
  /** The highest rate. */
  readonly peak: number;
  /** Steps of the rise. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/** The learning rate of a step, counted from 0. */
export function learningRateAt(step: number, { schedule, peak, warmupSteps, totalSteps }: Schedule): number {
  const start = schedule === 'one-cycle' ? peak / 25 : 0;
  if (step < warmupSteps) {
    const share = (step + 1) / warmupSteps;
    return schedule === 'one-cycle' ? cosine(start, peak, share) : peak * share;
  }
  if (schedule === 'constant') return peak;
  const share = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return cosine(peak, schedule === 'one-cycle' ? start / 1e4 : 0, share);
}

/** From `from` to `to` along half a cosine wave. */
function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}
