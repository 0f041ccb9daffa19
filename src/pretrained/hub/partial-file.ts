import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Pace } from './retry.js';

/** A partial file in a cache. */
export interface Leftover {
  readonly path: string;
  readonly size: number;
  /** Whether a process is writing it. */
  readonly alive: boolean;
}

const HOST = hostname()
  .replace(/[^\w-]/g, '_')
  .slice(0, 40);
/** The process id in the name of a released partial file. */
const NOBODY = 0;

/** A new name for a partial file: `ETAG.HOST.PID.RANDOM.incomplete`. */
function partialPath(dir: string, etag: string, owned: boolean): string {
  return join(dir, [etag, HOST, owned ? process.pid : NOBODY, randomBytes(4).toString('hex'), 'incomplete'].join('.'));
}

/**
 * Lists the partial files of a blob, largest first. Python's own `ETAG.incomplete` is excluded, since its lock cannot be checked
 * from here.
 *
 * @param staleMs - a file without a heartbeat for this long counts as abandoned, whatever its name says.
 */
export async function leftovers(dir: string, etag: string, staleMs: number): Promise<readonly Leftover[]> {
  const found: Leftover[] = [];
  for (const name of await readdir(dir)) {
    const [begin, host, pid, random, end, ...more] = name.split('.');
    if (begin !== etag || end !== 'incomplete' || random === undefined || more.length > 0) continue;
    const path = join(dir, name);
    const { size, mtimeMs } = (await stat(path).catch(() => undefined)) ?? {};
    if (size === undefined || mtimeMs === undefined) continue;
    const alive = Number(pid) !== NOBODY && Date.now() - mtimeMs < staleMs && !(host === HOST && isDead(Number(pid)));
    found.push({ path, size, alive });
  }
  return found.sort((a, b) => b.size - a.size);
}

/** Renames a file that another process may claim at the same moment; only one succeeds. */
async function took(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  await mark(to);
  return true;
}

/** Updates the heartbeat of a partial file. */
async function mark(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * A partially downloaded file. Its name contains the writing process, so that two never write the same one; the file of a dead
 * process is claimed by renaming it, which only one process can do.
 */
export class PartialFile {
  private readonly heart: NodeJS.Timeout;

  private constructor(
    private readonly dir: string,
    private readonly etag: string,
    readonly path: string,
    private readonly pace: Pace,
  ) {
    this.heart = setInterval(() => void mark(path), pace.beatMs).unref();
  }

  /**
   * Creates a partial file, or claims an abandoned one. Waits while another process writes one.
   *
   * @param isDone - whether the other process has finished the file.
   * @param onWait - called once, before waiting.
   * @returns undefined when it is done.
   */
  static async claim(
    dir: string,
    etag: string,
    pace: Pace,
    isDone: () => Promise<boolean>,
    onWait: () => void,
  ): Promise<PartialFile | undefined> {
    const path = partialPath(dir, etag, true);
    for (let waited = false; ; waited = true) {
      const found = await leftovers(dir, etag, pace.staleMs);
      for (const { path: free } of found.filter(({ alive }) => !alive))
        if (await took(free, path)) return new PartialFile(dir, etag, path, pace);
      if (await isDone()) return undefined;
      if (!found.some(({ alive }) => alive)) {
        await (await open(path, 'wx')).close();
        return new PartialFile(dir, etag, path, pace);
      }
      if (!waited) onWait();
      await pace.sleep(pace.pollMs);
    }
  }

  /** Bytes received so far; 0 if the file was removed. */
  async size(): Promise<number> {
    return (await stat(this.path).catch(() => undefined))?.size ?? 0;
  }

  remove(): Promise<void> {
    return rm(this.path, { force: true });
  }

  /** Renames it to the finished file atomically, and removes abandoned partial files of the same blob. */
  async become(target: string): Promise<void> {
    await rename(this.path, target);
    for (const { path, alive } of await leftovers(this.dir, this.etag, this.pace.staleMs))
      if (!alive) await rm(path, { force: true });
  }

  /** Releases the file, so that any process can resume it. */
  async release(): Promise<void> {
    clearInterval(this.heart);
    if ((await this.size()) === 0) await this.remove();
    else await rename(this.path, partialPath(this.dir, this.etag, false)).catch(() => {});
  }
}
