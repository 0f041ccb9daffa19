import { Rng } from '../../util/index.js';
import type { Dataset, Sample, SampleSource } from '../types.js';

export interface ChangeOptions {
  /** Fraction of the samples that are changed. */
  readonly chance: number;
  readonly seed: number;
}

/**
 * A dataset of which some samples are changed as they are read. Which ones and how depends on the seed and the index alone, so repeat
 * the dataset first for variety.
 */
export abstract class SometimesChanged implements Dataset {
  readonly name: string;
  readonly size: number;
  protected readonly whole: Dataset;
  private readonly options: ChangeOptions;
  private readonly stream: number;

  /** @param stream - sets the draws of one kind of change apart from those of others with the same seed. */
  constructor(whole: Dataset, options: ChangeOptions, stream: number) {
    this.whole = whole;
    this.name = whole.name;
    this.size = whole.size;
    this.options = options;
    this.stream = stream;
  }

  get parts(): readonly Dataset[] {
    return [this.whole];
  }

  get phrases(): readonly string[] | undefined {
    return this.whole.phrases;
  }

  async load(index: number): Promise<Sample> {
    const sample = await this.whole.load(index);
    const rng = Rng.seeded(this.options.seed, this.stream, index);
    return rng.chance(this.options.chance) ? this.change(sample, rng) : sample;
  }

  source(index: number): SampleSource | undefined {
    return this.whole.source?.(index);
  }

  /** The changed sample, or the sample itself where it cannot be changed. */
  protected abstract change(sample: Sample, rng: Rng): Sample | Promise<Sample>;
}
