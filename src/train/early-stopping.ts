/** Watches a value that should fall (or rise), and says when it has stopped doing so. */
export class EarlyStopping {
  private readonly patience: number;
  private readonly sign: 1 | -1;
  private best: number;
  private sinceBest = 0;

  /**
   * @param patience - how many epochs in a row may pass without a new best value.
   * @param mode - `min`: small values are good. Default: `min`.
   */
  constructor(patience: number, mode: 'min' | 'max' = 'min') {
    this.patience = patience;
    this.sign = mode === 'min' ? 1 : -1;
    this.best = this.sign * Number.POSITIVE_INFINITY;
  }

  /** Takes the value of one more epoch and tells whether it is the best so far. */
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

  /** What {@link restore} needs to go on. */
  state(): { best: number | null; sinceBest: number } {
    return { best: Number.isFinite(this.best) ? this.best : null, sinceBest: this.sinceBest };
  }

  restore({ best, sinceBest }: { best: number | null; sinceBest: number }): void {
    this.best = best ?? this.sign * Number.POSITIVE_INFINITY;
    this.sinceBest = sinceBest;
  }
}
