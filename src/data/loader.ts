import { Rng } from '../util/index.js';
import { type AugmentChoice, augment } from './augment/index.js';
import type { Dataset, Sample } from './types.js';

export interface LoaderOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly augment: AugmentChoice;
  /** One of several nearly equal parts of each batch, which may be empty. Default: all of it. */
  readonly part?: { readonly index: number; readonly of: number };
  /** Where samples are decoded and augmented. Default: in this thread. */
  readonly source?: SampleMaker;
}

/** A sample to produce: its index, and its epoch and position, which seed its augmentation. */
export interface SampleRequest {
  readonly index: number;
  readonly epoch: number;
  readonly place: number;
  readonly seed: number;
  readonly augment: AugmentChoice;
}

/** Produces samples, here or in other threads. Equal requests give equal samples. */
export type SampleMaker = (request: SampleRequest) => Promise<Sample>;

/** Decodes a sample and augments it. */
export async function makeSample(
  dataset: Dataset,
  { index, epoch, place, seed, augment: choice }: SampleRequest,
): Promise<Sample> {
  const sample = await dataset.load(index);
  return choice === 'none' ? sample : augment(sample, choice, Rng.seeded(seed, 3, epoch, place));
}

/** Batches prefetched ahead of the current one. */
const AHEAD = 2;

/** Groups samples into batches. Equal seed and epoch give equal batches, augmentation included, wherever samples are produced. */
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
   * Yields all samples once; the last batch may be smaller.
   *
   * @param skip - initial batches to skip without loading them. Default: 0.
   * @param stride - yields every n-th batch from there. Default: 1, all of them.
   */
  async *epoch(epoch: number, skip = 0, stride = 1): AsyncGenerator<Sample[]> {
    const { batchSize, shuffle, seed } = this.options;
    const order = Array.from({ length: this.dataset.size }, (_, i) => i);
    const shuffled = shuffle ? Rng.seeded(seed, 2, epoch).shuffle(order) : order;
    const queue: Promise<Sample[]>[] = [];
    for (let start = skip * batchSize; start < shuffled.length; start += stride * batchSize) {
      queue.push(this.batch(shuffled.slice(start, start + batchSize), epoch, start));
      // Failures are reported when the batch is awaited, not as an earlier unhandled rejection.
      queue.at(-1)?.catch(() => {});
      if (queue.length > AHEAD) yield (await queue.shift()) as Sample[];
    }
    for (const batch of queue) yield await batch;
  }

  private batch(indices: readonly number[], epoch: number, start: number): Promise<Sample[]> {
    const { augment, seed, part = { index: 0, of: 1 } } = this.options;
    const [from, to] = [part.index, part.index + 1].map((i) => Math.floor((i * indices.length) / part.of)) as [number, number];
    const own = indices.slice(from, to);
    return Promise.all(own.map((index, k) => this.source({ index, epoch, place: start + from + k, seed, augment })));
  }
}
