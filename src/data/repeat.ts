import type { Dataset, Sample, SampleSource } from './types.js';

/** Repeats the samples of a dataset within an epoch, to weight a small dataset against large ones. */
export class RepeatDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly whole: Dataset;

  /** @param times - repetitions of each sample, at least 1. */
  constructor(whole: Dataset, times: number) {
    this.whole = whole;
    this.name = whole.name;
    this.size = whole.size * times;
  }

  get parts(): readonly Dataset[] {
    return [this.whole];
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
