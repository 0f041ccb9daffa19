import { setTimeout as sleep } from 'node:timers/promises';
import { type RetryPace, withRetries } from '../../util/index.js';
import type { HubReport } from './events.js';

/** Timeouts and retries of a download. */
export interface Pace extends RetryPace {
  /** Time without data after which a connection is abandoned. */
  readonly silenceMs: number;
  /** Consecutive failures, none of which made at least {@link progressBytes} of progress, after which a file is abandoned. */
  readonly attempts: number;
  readonly progressBytes: number;
  /** Interval of the heartbeat on a partial file. */
  readonly beatMs: number;
  /** A partial file without a heartbeat for this long is abandoned. */
  readonly staleMs: number;
  /** Interval of checks whether another process has finished a file. */
  readonly pollMs: number;
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

/** {@link withRetries} of downloads: each delay is reported. */
export function retried<T>(act: () => Promise<T>, pace: Pace, report: HubReport, progressed?: () => boolean): Promise<T> {
  return withRetries(act, pace, (reason, waitMs) => report({ kind: 'retry', reason, waitMs }), progressed);
}
