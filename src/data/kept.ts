import type { Dataset, Sample, SampleSource } from './types.js';

/** Bytes of decoded samples that a thread keeps at most, unless told otherwise. */
const KEPT_BYTES = 768 * 2 ** 20;

/** Memory for decoded samples of one or several datasets: those that come first are kept, those that no longer fit are read again. */
export class SampleStore {
  private free: number;

  /** @param bytes - of pixels and masks together. Default: 768 MiB. */
  constructor(bytes = KEPT_BYTES) {
    this.free = bytes;
  }

  /** Takes room for a sample, if there is any. */
  take({ image, objects }: Sample): boolean {
    const bytes = objects.reduce((sum, { mask }) => sum + mask.data.byteLength, image.data.byteLength);
    if (bytes > this.free) return false;
    this.free -= bytes;
    return true;
  }
}

/**
 * A dataset whose samples stay in memory once they are decoded, while there is room: for training and validation, which read the
 * same images in every epoch. Samples are shared: nobody writes into them.
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
