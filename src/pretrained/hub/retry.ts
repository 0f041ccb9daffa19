import { setTimeout as sleep } from 'node:timers/promises';
import type { HubReport } from './events.js';
import type { HubError } from './hub-error.js';

/** Timeouts and retries of a download. */
export interface Pace {
  /** Time without data after which a connection is abandoned. */
  readonly silenceMs: number;
  /** Consecutive failures, none of which made at least {@link progressBytes} of progress, after which a file is abandoned. */
  readonly attempts: number;
  readonly progressBytes: number;
  /** Delay before the second attempt; it doubles from then on. */
  readonly firstWaitMs: number;
  /** Upper bound of the delay; if the server asks for more, the file is abandoned. */
  readonly longestWaitMs: number;
  /** Interval of the heartbeat on a partial file. */
  readonly beatMs: number;
  /** A partial file without a heartbeat for this long is abandoned. */
  readonly staleMs: number;
  /** Interval of checks whether another process has finished a file. */
  readonly pollMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

export const defaultPace: Pace = {
  silenceMs: 30_000,
  attempts: 5,
  progressBytes: 1 << 20,
  firstWaitMs: 1000,
  longestWaitMs: 60_000,
  beatMs: 5000,
  staleMs: 60_000,
  pollMs: 500,
  sleep: (ms) => sleep(ms),
};

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
