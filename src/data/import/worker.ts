import sharp from 'sharp';
import { type NamedRecord, type ProcessOptions, processRecord, type RecordResult } from './process-record.js';
import { closeVolumes } from './volumes.js';

// The pool provides the parallelism; sharp's threads would compete with it.
sharp.concurrency(1);
sharp.cache(false);

/** A job of the pool: a single record, or records that share a volume or a cine clip. */
export interface Job {
  readonly records: readonly NamedRecord[];
  readonly options: ProcessOptions;
}

/** Jobs of this thread that are at work and read a volume: the last of them releases the memory. */
let slicing = 0;

/** Runs a job in a worker thread, beside others of the same thread. */
export default async function work({ records, options }: Job): Promise<RecordResult[]> {
  const sliced = records.some(({ record }) => record.image.slice !== undefined);
  if (sliced) slicing += 1;
  const results: RecordResult[] = [];
  try {
    for (const record of records) results.push(await processRecord(record, options));
  } finally {
    if (sliced && --slicing === 0) closeVolumes();
  }
  return results;
}
