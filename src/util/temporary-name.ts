import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

const PRESENT = /^\.sonoground-(\d+)-[0-9a-f]{12}\.tmp$/;

/** As they were: with the name of the file before the digits. */
const EARLIER = /^\..+\.[0-9a-f]{12}\.tmp$/;

/**
 * A path beside a file to write its content to until it is complete. It holds the process, and not the file's own name, which
 * may be as long as the file system allows.
 */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.sonoground-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
}

/**
 * Whether a file's name is one that {@link temporaryPath} gave, in this version or an earlier one, to a process that no longer
 * runs: what a killed one left. For the start of work in a folder: this process is not writing there yet.
 */
export function isLeftover(name: string): boolean {
  const pid = Number(PRESENT.exec(name)?.[1] ?? Number.NaN);
  return Number.isNaN(pid) ? EARLIER.test(name) : pid === process.pid || !runs(pid);
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
