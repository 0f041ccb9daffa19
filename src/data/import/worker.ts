import sharp from 'sharp';
import { type NamedRecord, type ProcessOptions, processRecord, type RecordResult } from './process-record.js';
import { closeVolumes } from './volumes.js';

// The threads are the pool's; a second set inside each would only compete with it.
sharp.concurrency(1);
sharp.cache(false);

/** A job of the pool: records that share a volume or a film, or a single one. */
export interface Job {
  readonly records: readonly NamedRecord[];
  readonly options: ProcessOptions;
}

/** Does a job in a worker thread. */
export default async function work({ records, options }: Job): Promise<RecordResult[]> {
  const results: RecordResult[] = [];
  for (const record of records) results.push(await processRecord(record, options));
  if (records.some(({ record }) => record.image.slice !== undefined)) closeVolumes();
  return results;
}
