import { setTimeout as sleep } from 'node:timers/promises';

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
