import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process; distinguished from a later one with the same pid if the system reports start times. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Clock ticks from system boot to process start. */
  readonly started?: string | undefined;
  /** Identifies the system boot. */
  readonly boot?: string | undefined;
  /** The pid namespace: containers have their own. */
  readonly namespace?: string | undefined;
}

/** The identity of the current process. */
export function ownIdentity(): ProcessIdentity {
  const started = startOf(process.pid);
  return {
    host: hostname(),
    pid: process.pid,
    ...(typeof started === 'string' && { started }),
    boot: boot(),
    namespace: namespace(),
  };
}

/**
 * Whether a process is running.
 *
 * @returns `unknown` for a process of another machine or container, whose pid has no meaning here.
 */
export function stateOf({
  host,
  pid,
  started,
  boot: itsBoot,
  namespace: itsNamespace,
}: ProcessIdentity): 'running' | 'gone' | 'unknown' {
  if (host !== hostname()) return 'unknown';
  if (itsBoot !== undefined && boot() !== undefined && itsBoot !== boot()) return 'gone';
  if (itsNamespace !== namespace()) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process belongs to another user and is running.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'gone';
  }
  const now = startOf(pid);
  if (now === ENDED) return 'gone';
  return started === undefined || now === undefined || now === started ? 'running' : 'gone';
}

/** A zombie: ended, but not yet reaped by its parent. */
const ENDED = Symbol('ended');

/** @see proc_pid_stat(5): the name, in parentheses, may contain anything; the state is field 3, the start time field 22. */
function startOf(pid: number): string | typeof ENDED | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : fields[19];
}

function boot(): string | undefined {
  return read('/proc/sys/kernel/random/boot_id')?.trim();
}

function namespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
