import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { loadNativeObject } from './native-objects.js';

const STDERR = 2;
/** `O_APPEND`, as Linux writes it. */
const APPEND = 0o2000;

/** What `native/stderr` offers. Threads that hold at the same time share what is held, which the last one gets. */
interface StandardError {
  hold(): void;
  /** @returns what was written meanwhile. */
  release(): string;
}

/** What TensorFlow writes as it is loaded, before its own log level counts: notes and complaints, not what ends the process. */
const BANNER: readonly RegExp[] = [
  /^WARNING: All log messages before absl::InitializeLog\(\)/,
  /^[IWE]\d{4} \d\d:\d\d:[\d.]+\s+\d+ \S+:\d+\]/,
  /^\d{4}-\d\d-\d\d \d\d:\d\d:[\d.]+: [IWE] /,
  /^To enable the following instructions: /,
];

export function isTensorflowBanner(line: string): boolean {
  return BANNER.some((pattern) => pattern.test(line));
}

/**
 * Runs `load`, which must be synchronous, and keeps what it writes from standard error. Errors that it throws come through.
 *
 * @param unwanted - lines that are kept back, of those that anybody writes meanwhile. Default: all.
 */
export function withoutBanner(load: () => void, unwanted: (line: string) => boolean = () => true): void {
  const standardError = openStandardError();
  if (standardError === undefined) {
    withStandardErrorNowhere(load);
    return;
  }
  standardError.hold();
  try {
    load();
  } finally {
    const lines = standardError.release().split(/(?<=\n)/);
    const wanted = lines.filter((line) => !unwanted(line)).join('');
    if (wanted !== '') writeSync(STDERR, wanted);
  }
}

/** Absent where the set-up could not compile it, and where there is no package for it to lie in. */
function openStandardError(): StandardError | undefined {
  try {
    const loaded = loadNativeObject('sonoground-stderr');
    return 'exports' in loaded ? (loaded.exports as StandardError) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same by Node's own means, which only do where no other thread runs and nobody else writes into the file. Elsewhere, and where
 * the system has no /proc, `load` just runs.
 */
function withStandardErrorNowhere(load: () => void): void {
  const saved = isMainThread && canReopen() ? reopen('/proc/self/fd/2') : undefined;
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
