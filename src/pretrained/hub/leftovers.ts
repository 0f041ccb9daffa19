import { randomBytes } from 'node:crypto';
import { readdir, rename, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

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
export function partialPath(dir: string, etag: string, owned: boolean): string {
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
export async function took(from: string, to: string): Promise<boolean> {
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
export async function mark(path: string): Promise<void> {
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
