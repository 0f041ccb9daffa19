import { setTimeout as sleep } from 'node:timers/promises';

/** How patient a download is. */
export interface Pace {
  /** A server that says nothing for so long is given up. */
  readonly silenceMs: number;
  /** Failures in a row, none of which brought {@link progressBytes}, after which a file is given up. */
  readonly attempts: number;
  readonly progressBytes: number;
  /** Before the second attempt; it doubles from then on. */
  readonly firstWaitMs: number;
  /** No wait is longer, and a server that asks for more is given up. */
  readonly longestWaitMs: number;
  /** How often a partial file is marked as being written. */
  readonly beatMs: number;
  /** A partial file without a mark for so long belongs to nobody. */
  readonly staleMs: number;
  /** How often to look whether another process is done with a file. */
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
