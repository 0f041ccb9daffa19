/** Detects when a value has stopped falling (or rising). */
export class EarlyStopping {
  private readonly patience: number;
  private readonly sign: 1 | -1;
  private best: number;
  private sinceBest = 0;

  /**
   * @param patience - number of consecutive epochs allowed without a new best value.
   * @param mode - `min`: small values are good. Default: `min`.
   */
  constructor(patience: number, mode: 'min' | 'max' = 'min') {
    this.patience = patience;
    this.sign = mode === 'min' ? 1 : -1;
    this.best = this.sign * Number.POSITIVE_INFINITY;
  }

  /** Adds the value of an epoch and returns whether it is the best so far. */
  update(value: number): boolean {
    const improved = this.sign * value < this.sign * this.best;
    this.best = improved ? value : this.best;
    this.sinceBest = improved ? 0 : this.sinceBest + 1;
    return improved;
  }

  get shouldStop(): boolean {
    return this.sinceBest >= this.patience;
  }

  get bestValue(): number {
    return this.best;
  }

  /** The state for {@link restore}. */
  state(): { best: number | null; sinceBest: number } {
    return { best: Number.isFinite(this.best) ? this.best : null, sinceBest: this.sinceBest };
  }

  restore({ best, sinceBest }: { best: number | null; sinceBest: number }): void {
    this.best = best ?? this.sign * Number.POSITIVE_INFINITY;
    this.sinceBest = sinceBest;
  }
}
