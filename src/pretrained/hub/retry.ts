import type { HubReport } from './events.js';
import type { HubError } from './hub-error.js';
import type { Pace } from './pace.js';

/** A transient failure. Holds the error to throw if it persists. */
export class TryAgain extends Error {
  constructor(
    readonly error: HubError,
    /** Delay requested by the server. */
    readonly afterMs?: number,
  ) {
    super(error.message);
  }
}

/**
 * Retries an operation after transient failures, with growing delays, up to `pace.attempts` consecutive failures.
 *
 * @param progressed - whether enough progress was made before the last failure; if so, the count restarts.
 */
export async function withRetries<T>(
  act: () => Promise<T>,
  pace: Pace,
  report: HubReport,
  progressed: () => boolean = () => false,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await act();
    } catch (failure) {
      if (!(failure instanceof TryAgain)) throw failure;
      if (progressed()) failures = 1;
      const waitMs = failure.afterMs ?? Math.min(pace.firstWaitMs * 2 ** (failures - 1), pace.longestWaitMs);
      if (failures >= pace.attempts || waitMs > pace.longestWaitMs) throw failure.error;
      report({ kind: 'retry', reason: `${failure.error.where}: ${failure.error.what}`, waitMs });
      await pace.sleep(waitMs);
    }
  }
}
