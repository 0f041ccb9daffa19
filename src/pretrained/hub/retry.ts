import type { HubReport } from './events.js';
import type { HubError } from './hub-error.js';
import type { Pace } from './pace.js';

/** A failure that may pass. It holds what to say if it does not. */
export class TryAgain extends Error {
  constructor(
    readonly error: HubError,
    /** What the server asked for. */
    readonly afterMs?: number,
  ) {
    super(error.message);
  }
}

/**
 * Runs an act again while it fails in passing, with growing pauses, up to `pace.attempts` failures in a row.
 *
 * @param progressed - whether the last failure came after a worthwhile part was done; the count then begins anew.
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
