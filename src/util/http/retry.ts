import type { SonogroundError } from '../errors/index.js';

/** How often, and after which delays, an operation over a network is tried again. */
export interface RetryPace {
  /** Consecutive failures after which it is given up. */
  readonly attempts: number;
  /** Delay before the second attempt in milliseconds; it doubles from then on. */
  readonly firstWaitMs: number;
  /** Upper bound of the delay; if the server asks for more, the operation is given up. */
  readonly longestWaitMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A transient failure. Holds the error to throw if it persists. */
export class TryAgain extends Error {
  constructor(
    readonly error: SonogroundError,
    /** Delay requested by the server. */
    readonly afterMs?: number,
  ) {
    super(error.message);
  }
}

/**
 * Retries an operation after each {@link TryAgain}, with growing delays, up to `pace.attempts` consecutive failures.
 *
 * @param onRetry - called before each delay.
 * @param progressed - whether enough progress was made before the last failure; if so, the count restarts.
 */
export async function withRetries<T>(
  act: () => Promise<T>,
  pace: RetryPace,
  onRetry: (reason: string, waitMs: number) => void,
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
      onRetry(`${failure.error.where}: ${failure.error.what}`, waitMs);
      await pace.sleep(waitMs);
    }
  }
}
