import type { Dataset, Sample, SampleSource } from './types.js';

/** A dataset whose samples come up several times in one pass: how a small dataset holds its own beside large ones. */
export class RepeatDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly whole: Dataset;

  /** @param times - how often each sample comes up, at least once. */
  constructor(whole: Dataset, times: number) {
    this.whole = whole;
    this.name = whole.name;
    this.size = whole.size * times;
  }

  get phrases(): readonly string[] | undefined {
    return this.whole.phrases;
  }

  load(index: number): Promise<Sample> {
    return this.whole.load(index % this.whole.size);
  }

  source(index: number): SampleSource | undefined {
    return this.whole.source?.(index % this.whole.size);
  }
}
