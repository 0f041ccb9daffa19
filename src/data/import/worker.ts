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

/** Runs a job in a worker thread. */
export default async function work({ records, options }: Job): Promise<RecordResult[]> {
  const results: RecordResult[] = [];
  for (const record of records) results.push(await processRecord(record, options));
  if (records.some(({ record }) => record.image.slice !== undefined)) closeVolumes();
  return results;
}
