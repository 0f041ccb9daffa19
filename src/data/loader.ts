import { Rng } from '../util/index.js';
import { type AugmentPreset, augment } from './augment.js';
import type { Dataset, Sample } from './types.js';

export interface LoaderOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly augment: AugmentPreset;
}

/** Batches that are loaded ahead of the one in use. */
const AHEAD = 2;

/** Puts samples into batches. The same seed and epoch give the same batches, augmentation included. */
export class BatchLoader {
  private readonly dataset: Dataset;
  private readonly options: LoaderOptions;

  constructor(dataset: Dataset, options: LoaderOptions) {
    this.dataset = dataset;
    this.options = options;
  }

  get batchesPerEpoch(): number {
    return Math.ceil(this.dataset.size / this.options.batchSize);
  }

  /** All samples once, the last batch being smaller if need be. */
  async *epoch(epoch: number): AsyncGenerator<Sample[]> {
    const { batchSize, shuffle, seed } = this.options;
    const order = Array.from({ length: this.dataset.size }, (_, i) => i);
    const shuffled = shuffle ? Rng.seeded(seed, 2, epoch).shuffle(order) : order;
    const queue: Promise<Sample[]>[] = [];
    for (let start = 0; start < shuffled.length; start += batchSize) {
      queue.push(this.batch(shuffled.slice(start, start + batchSize), epoch, start));
      // A failure is reported when its turn comes, not as an unhandled rejection before.
      queue.at(-1)?.catch(() => {});
      if (queue.length > AHEAD) yield (await queue.shift()) as Sample[];
    }
    for (const batch of queue) yield await batch;
  }

  private batch(indices: readonly number[], epoch: number, start: number): Promise<Sample[]> {
    const { augment: preset, seed } = this.options;
    return Promise.all(
      indices.map(async (index, k) => {
        const sample = await this.dataset.load(index);
        return preset === 'none' ? sample : augment(sample, preset, Rng.seeded(seed, 3, epoch, start + k));
      }),
    );
  }
}
