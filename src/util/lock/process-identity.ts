import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from a later one of the same number where the system says when each began. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Ticks of the clock from the start of the system to that of the process. */
  readonly started?: string | undefined;
  /** Which start of the system that was. */
  readonly boot?: string | undefined;
  /** The namespace of process numbers: containers have their own. */
  readonly namespace?: string | undefined;
}

/** The process that asks. */
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
 * Whether a process runs.
 *
 * @returns `unknown` for one of another machine or container, whose numbers mean nothing here.
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
    // Without the right to signal it, it is somebody else's, and runs.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'gone';
  }
  const now = startOf(pid);
  if (now === ENDED) return 'gone';
  return started === undefined || now === undefined || now === started ? 'running' : 'gone';
}

/** A process that has ended and whose parent has not asked for its exit code yet. */
const ENDED = Symbol('ended');

/** @see proc_pid_stat(5): the name, in brackets, may hold anything; the state is the 3rd field, the start the 22nd. */
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
