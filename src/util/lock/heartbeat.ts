import { stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A lock that is not touched for this long has lost its owner. Longer than a network file system keeps the times of files in its
 * cache, which is 60 s for NFS.
 */
const SILENT_MS = 300_000;

/** Its owner touches it this often meanwhile, as a long computation may leave no time for it. */
const BEATS = 12;

const POLL_MS = 1000;

/** Touches a file again and again, so that other machines see that its owner runs. Does not keep the process running. */
export class Heartbeat {
  private readonly timer: NodeJS.Timeout;

  /** @param silentMs - how long the file may stay untouched. */
  constructor(file: string, silentMs = SILENT_MS) {
    this.timer = setInterval(() => {
      const now = new Date();
      utimes(file, now, now).catch(() => {}); // removed by hand, or the disk cannot be reached
    }, silentMs / BEATS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/**
 * Watches a file that a {@link Heartbeat} touches. Only its times are compared with each other, as clocks of machines differ.
 *
 * @returns whether it was touched, replaced or removed within the time in which its owner would have touched it.
 */
export async function showsLife(file: string, silentMs = SILENT_MS): Promise<boolean> {
  const first = await timeOf(file);
  for (let waited = 0; waited < silentMs; waited += POLL_MS) {
    await sleep(Math.min(POLL_MS, silentMs));
    if ((await timeOf(file)) !== first) return true;
  }
  return false;
}

async function timeOf(file: string): Promise<string | undefined> {
  const info = await stat(file, { bigint: true }).catch(() => undefined);
  return info && `${info.ino} ${info.mtimeNs}`;
}
