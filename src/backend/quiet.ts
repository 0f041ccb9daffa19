import { closeSync, openSync } from 'node:fs';

const STDERR = 2;

/**
 * Runs `load` with standard error led to nowhere: TensorFlow's library writes a banner there as it is loaded, before its own
 * log level counts. Errors that it throws come through. Where the system cannot do that (it needs /proc), `load` just runs.
 *
 * `load` must be synchronous: nothing else of this process may want to write meanwhile.
 */
export function withoutBanner(load: () => void): void {
  const saved = reopen('/proc/self/fd/2');
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

function reopen(path: string): number | undefined {
  try {
    return openSync(path, 'a');
  } catch {
    return undefined;
  }
}
