import type { LossReport } from './tasks/index.js';

/** Averages loss reports. */
export class RunningMean {
  private readonly sums = new Map<string, number>();
  private count = 0;

  add({ total, terms }: LossReport, weight = 1): void {
    this.count += weight;
    for (const [name, value] of [['total', total] as const, ...Object.entries(terms)]) {
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * weight);
    }
  }

  /** Sums and count, from which {@link restore} resumes bit-exactly. */
  state(): { count: number; sum: LossReport } {
    const { total = 0, ...terms } = Object.fromEntries(this.sums);
    return { count: this.count, sum: { total, terms } };
  }

  restore({ count, sum }: { count: number; sum: LossReport }): void {
    this.reset();
    if (count === 0) return;
    this.add(sum);
    this.count = count;
  }

  /** The averages since the last {@link reset}. */
  get value(): LossReport {
    const mean = (name: string) => (this.sums.get(name) ?? 0) / Math.max(this.count, 1);
    const terms = [...this.sums.keys()].filter((name) => name !== 'total').map((name) => [name, mean(name)] as const);
    return { total: mean('total'), terms: Object.fromEntries(terms) };
  }

  reset(): void {
    this.sums.clear();
    this.count = 0;
  }
}
