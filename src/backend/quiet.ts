import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

const STDERR = 2;
/** `O_APPEND`, as Linux writes it. */
const APPEND = 0o2000;

/**
 * Runs `load` with standard error led to nowhere: TensorFlow's library writes a banner there as it is loaded, before its own
 * log level counts. Errors that it throws come through. Where the system cannot do that (it needs /proc), `load` just runs.
 *
 * `load` must be synchronous: nothing else of this process may want to write meanwhile.
 */
export function withoutBanner(load: () => void): void {
  const saved = canReopen() ? reopen('/proc/self/fd/2') : undefined;
  if (saved === undefined) {
    load();
    return;
  }
  closeSync(STDERR);
  // The lowest free number is taken, which is the one just given up.
  openSync('/dev/null', 'a');
  try {
    load();
  } finally {
    closeSync(STDERR);
    openSync(`/proc/self/fd/${saved}`, 'a');
    closeSync(saved);
  }
}

/**
 * What is opened anew has a place of its own in the file. Other programs that share the old one (`2>log` for several
 * commands) would write over it, unless all of them append.
 */
function canReopen(): boolean {
  try {
    if (!fstatSync(STDERR).isFile()) return true;
    const [, flags = '0'] = /^flags:\s*(\d+)/m.exec(readFileSync('/proc/self/fdinfo/2', 'utf8')) ?? [];
    return (Number.parseInt(flags, 8) & APPEND) !== 0;
  } catch {
    return false;
  }
}

function reopen(path: string): number | undefined {
  try {
    return openSync(path, 'a');
  } catch {
    return undefined;
  }
}
