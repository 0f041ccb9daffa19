import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { type NamedRecord, type ProcessOptions, processRecord, type RecordResult } from './process-record.js';
import { closeVolumes } from './volumes.js';
import type { Job } from './worker.js';

/** Records of a volume per job. */
const SLICES = 64;

/** Jobs queued per thread: enough to keep it busy, few enough to hold little memory. */
const WAITING = 2;

/** Jobs at work in a thread: while one waits for the disk to store a file, another decodes. */
const OVERLAP = 3;

/** Number of records below which starting threads takes longer than processing here. */
const FEW = 100;

const WORKER = new URL('./worker.js', import.meta.url);

/**
 * Processes records in threads, those of one volume together, and delivers each result as it arrives. Memory does not grow with
 * the number of records, since only enough jobs are in flight to keep the threads busy. Few records, and all records if there is
 * no compiled worker (tests run the sources), are processed here, one after the other.
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
  const pool = new Piscina({
    filename: WORKER.href,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: OVERLAP,
  });
  try {
    const running = new Set<Promise<void>>();
    for (const job of jobsOf(records)) {
      const done = (pool.run({ records: job, options } satisfies Job) as Promise<RecordResult[]>)
        .then(async (results) => {
          for (const result of results) await onResult(result);
        })
        .finally(() => running.delete(done));
      running.add(done);
      // Failures surface in the race or at the end; this avoids an unhandled rejection.
      done.catch(() => {});
      if (running.size >= threads * (OVERLAP + WAITING)) await Promise.race(running);
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
