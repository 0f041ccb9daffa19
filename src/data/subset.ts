import type { Dataset, Sample, SampleSource } from './types.js';

/** A subset of a dataset, in the order of the given indices. */
export class Subset implements Dataset {
  readonly name: string;
  private readonly whole: Dataset;
  private readonly indices: readonly number[];

  constructor(whole: Dataset, indices: readonly number[]) {
    this.whole = whole;
    this.indices = indices;
    this.name = whole.name;
  }

  get size(): number {
    return this.indices.length;
  }

  get phrases(): readonly string[] | undefined {
    return this.whole.phrases;
  }

  load(index: number): Promise<Sample> {
    return this.whole.load(this.indices[index] as number);
  }

  source(index: number): SampleSource | undefined {
    return this.whole.source?.(this.indices[index] as number);
  }
}
