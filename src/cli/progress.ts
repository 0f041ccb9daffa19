import cliProgress from 'cli-progress';
import { printable } from '../util/index.js';
import { printLine } from './terminal.js';

/** A bar with the remaining time on a terminal, otherwise occasional plain lines. */
export interface Progress {
  update(done: number, total: number, note?: string): void;
  stop(): void;
}

/** Interval between lines without a terminal. */
const PLAIN_INTERVAL_MS = 10_000;

/** Updates from whose pace the remaining time is estimated. */
const RECENT = 50;

export function startProgress(label: string): Progress {
  return process.stderr.isTTY ? bar(label) : plain(label);
}

function bar(label: string): Progress {
  const single = new cliProgress.SingleBar({
    format: `${label} {bar} {percentage}% | {value}/{total} | {eta_formatted} left | {note}`,
    hideCursor: true,
    etaBuffer: RECENT,
    stream: process.stderr,
  });
  let started = false;
  return {
    update(done, total, note = '') {
      if (started) {
        single.setTotal(total);
        single.update(done, { note: printable(note) });
      } else {
        single.start(total, done, { note: printable(note) });
        started = true;
      }
    },
    stop: () => single.stop(),
  };
}

function plain(label: string): Progress {
  let last = Date.now();
  const updates: { readonly time: number; readonly done: number }[] = [];
  return {
    update(done, total, note = '') {
      const now = Date.now();
      // What comes before the first update, such as loading a model, says nothing about the rest; nor does what was resumed from.
      const first = updates[0];
      updates.push({ time: now, done });
      if (updates.length > RECENT) updates.shift();
      if (now - last < PLAIN_INTERVAL_MS && done < total) return;
      last = now;
      const since = first === undefined ? 0 : done - first.done;
      const left = done < total && since > 0 ? ((now - (first?.time ?? now)) / since) * (total - done) : undefined;
      printLine(
        `${label} ${done}/${total}${left === undefined ? '' : `, ${duration(left)} left`}${note === '' ? '' : `, ${note}`}`,
      );
    },
    stop() {},
  };
}

/** Formats milliseconds in human-readable form. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
