import type { Dataset, Sample, SampleSource } from './types.js';

/** Default limit for decoded samples per thread, in bytes. */
const KEPT_BYTES = 768 * 2 ** 20;

/**
 * Memory budget for decoded samples of one or several datasets: first come, first kept; samples that do not fit are read again.
 */
export class SampleStore {
  private free: number;

  /** @param bytes - limit for images and masks together. Default: 768 MiB. */
  constructor(bytes = KEPT_BYTES) {
    this.free = bytes;
  }

  /** Reserves memory for a sample; false if the budget is exhausted. */
  take({ image, objects }: Sample): boolean {
    const bytes = objects.reduce((sum, { mask }) => sum + mask.data.byteLength, image.data.byteLength);
    if (bytes > this.free) return false;
    this.free -= bytes;
    return true;
  }
}

/**
 * Caches decoded samples in memory within a budget, for training and validation, which read the same images in every epoch.
 * Cached samples are shared and must not be modified.
 */
export class KeptDataset implements Dataset {
  readonly name: string;
  readonly size: number;
  private readonly whole: Dataset;
  private readonly store: SampleStore;
  private readonly kept = new Map<number, Sample>();

  constructor(whole: Dataset, store: SampleStore) {
    this.whole = whole;
    this.store = store;
    this.name = whole.name;
    this.size = whole.size;
  }

  get phrases(): readonly string[] | undefined {
    return this.whole.phrases;
  }

  get parts(): readonly Dataset[] {
    return [this.whole];
  }

  async load(index: number): Promise<Sample> {
    const known = this.kept.get(index);
    if (known !== undefined) return known;
    const sample = await this.whole.load(index);
    if (!this.kept.has(index) && this.store.take(sample)) this.kept.set(index, sample);
    return sample;
  }

  source(index: number): SampleSource | undefined {
    return this.whole.source?.(index);
  }
}
