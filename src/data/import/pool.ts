import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { type NamedRecord, type ProcessOptions, processRecord, type RecordResult } from './process-record.js';
import { closeVolumes } from './volumes.js';
import type { Job } from './worker.js';

/** Records of a volume that one worker takes at a time. */
const SLICES = 64;

/** Jobs that wait while the threads are busy, for each of them: enough to keep it busy, few enough to hold little. */
const WAITING = 2;

/** Records that are done sooner here than threads are started. */
const FEW = 100;

const WORKER = new URL('./worker.js', import.meta.url);

/**
 * Works on records in threads, those of one volume together, and hands over each result as it comes. Only as many jobs are
 * in flight as keep the threads busy, so memory does not grow with the number of records. A few records, and all where the
 * compiled worker is not there (sources run by a test), are done here, one after the other.
 */
export async function processAll(
  records: readonly NamedRecord[],
  options: ProcessOptions,
  onResult: (result: RecordResult) => Promise<void>,
): Promise<void> {
  if (records.length < FEW || !existsSync(fileURLToPath(WORKER))) {
    for (const record of records) await onResult(await processRecord(record, options));
    closeVolumes();
    return;
  }
  const threads = Math.max(1, Math.min(availableParallelism(), records.length));
  const pool = new Piscina({ filename: WORKER.href, minThreads: threads, maxThreads: threads });
  try {
    const running = new Set<Promise<void>>();
    for (const job of jobsOf(records)) {
      const done = (pool.run({ records: job, options } satisfies Job) as Promise<RecordResult[]>)
        .then(async (results) => {
          for (const result of results) await onResult(result);
        })
        .finally(() => running.delete(done));
      running.add(done);
      // A failure is thrown by the race or at the end, never unseen.
      done.catch(() => {});
      if (running.size >= threads * (1 + WAITING)) await Promise.race(running);
    }
    await Promise.all(running);
  } finally {
    await pool.destroy();
  }
}

function* jobsOf(records: readonly NamedRecord[]): Generator<NamedRecord[]> {
  let job: NamedRecord[] = [];
  for (const record of records) {
    const last = job.at(-1)?.record.image;
    const several = (last?.slice ?? last?.page) !== undefined;
    const together = several && last?.file === record.record.image.file && job.length < SLICES;
    if (job.length > 0 && !together) {
      yield job;
      job = [];
    }
    job.push(record);
  }
  if (job.length > 0) yield job;
}
