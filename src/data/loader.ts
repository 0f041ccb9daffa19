import { Rng } from '../util/index.js';
import { type AugmentChoice, augment } from './augment.js';
import type { Dataset, Sample } from './types.js';

export interface LoaderOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly augment: AugmentChoice;
  /** Where samples are made. Default: in this thread. */
  readonly source?: SampleMaker;
}

/** One sample to be made: which one, and the place in which pass, which decide its random draws. */
export interface SampleRequest {
  readonly index: number;
  readonly epoch: number;
  readonly place: number;
  readonly seed: number;
  readonly augment: AugmentChoice;
}

/** Makes samples, here or in other threads. The same request gives the same sample. */
export type SampleMaker = (request: SampleRequest) => Promise<Sample>;

/** Decodes a sample and augments it. */
export async function makeSample(
  dataset: Dataset,
  { index, epoch, place, seed, augment: choice }: SampleRequest,
): Promise<Sample> {
  const sample = await dataset.load(index);
  return choice === 'none' ? sample : augment(sample, choice, Rng.seeded(seed, 3, epoch, place));
}

/** Batches that are loaded ahead of the one in use. */
const AHEAD = 2;

/** Puts samples into batches. The same seed and epoch give the same batches, augmentation included, wherever they are made. */
export class BatchLoader {
  private readonly dataset: Dataset;
  private readonly options: LoaderOptions;
  private readonly source: SampleMaker;

  constructor(dataset: Dataset, options: LoaderOptions) {
    this.dataset = dataset;
    this.options = options;
    this.source = options.source ?? ((request) => makeSample(dataset, request));
  }

  get batchesPerEpoch(): number {
    return Math.ceil(this.dataset.size / this.options.batchSize);
  }

  /**
   * All samples once, the last batch being smaller if need be.
   *
   * @param skip - batches to leave out at the beginning, without loading them. Default: 0.
   */
  async *epoch(epoch: number, skip = 0): AsyncGenerator<Sample[]> {
    const { batchSize, shuffle, seed } = this.options;
    const order = Array.from({ length: this.dataset.size }, (_, i) => i);
    const shuffled = shuffle ? Rng.seeded(seed, 2, epoch).shuffle(order) : order;
    const queue: Promise<Sample[]>[] = [];
    for (let start = skip * batchSize; start < shuffled.length; start += batchSize) {
      queue.push(this.batch(shuffled.slice(start, start + batchSize), epoch, start));
      // A failure is reported when its turn comes, not as an unhandled rejection before.
      queue.at(-1)?.catch(() => {});
      if (queue.length > AHEAD) yield (await queue.shift()) as Sample[];
    }
    for (const batch of queue) yield await batch;
  }

  private batch(indices: readonly number[], epoch: number, start: number): Promise<Sample[]> {
    const { augment, seed } = this.options;
    return Promise.all(indices.map((index, k) => this.source({ index, epoch, place: start + k, seed, augment })));
  }
}
