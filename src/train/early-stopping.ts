/** Watches a value that should fall, and says when it has stopped falling. */
export class EarlyStopping {
  private readonly patience: number;
  private best = Number.POSITIVE_INFINITY;
  private sinceBest = 0;

  /** @param patience - how many epochs in a row may pass without a new best value. */
  constructor(patience: number) {
    this.patience = patience;
  }

  /** Takes the value of one more epoch and tells whether it is the best so far. */
  update(value: number): boolean {
    const improved = value < this.best;
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
    this.best = best ?? Number.POSITIVE_INFINITY;
    this.sinceBest = sinceBest;
  }
}
