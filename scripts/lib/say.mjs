/** Output of the set-up: one line per event on standard error, and a progress line for downloads. */

/** Terminal control characters, which quoted messages of other programs may contain. Line breaks are kept. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: matching them is the purpose
const COMMANDS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Prints a line. */
export function say(message) {
  process.stderr.write(`${message.replace(COMMANDS, '?')}\n`);
}

/** A problem reported in one line, without a stack trace. */
export class SetupError extends Error {}

const FULL = ['ENOSPC', 'EDQUOT'];
const FORBIDDEN = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'];

/** Whether retrying another way is pointless: the disk is full or not writable. */
export function isDiskProblem(error) {
  return FULL.includes(error.code) || FORBIDDEN.includes(error.code);
}

/** Runs the main function of a script; a problem prints one line and sets exit code 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (process.env.SONOGROUND_DEBUG === '1') throw error;
    say(`sonoground: ${readable(error)}`);
    process.exitCode = 1;
  }
}

function readable(error) {
  if (error instanceof SetupError) return error.message;
  const place = error.path ?? error.dest ?? 'the disk';
  if (FULL.includes(error.code))
    return `no space is left for ${place}: free some, or let XDG_CACHE_HOME name a folder on another disk`;
  if (FORBIDDEN.includes(error.code)) return `${place} cannot be written: allow it, or let XDG_CACHE_HOME name another folder`;
  return `${String(error.message ?? error).split('\n')[0]} (SONOGROUND_DEBUG=1 shows where)`;
}

/** Interval of progress lines in a log without a terminal. */
const PLAIN_INTERVAL_MS = 5000;

const MEGABYTES = { one: 1e6, name: ' MB', rate: ' MB/s' };
const PIECES = { one: 1, name: '', rate: ' a second' };

/** A progress line for a download: percent, rate and time left. `update` takes bytes. */
export function downloadProgress(label, total) {
  return progress(label, total, MEGABYTES);
}

/** A progress line for a count. */
export function countProgress(label, total) {
  return progress(label, total, PIECES);
}

function progress(label, total, unit) {
  const begin = Date.now();
  const terminal = process.stderr.isTTY;
  let last = terminal ? 0 : begin;
  let first;
  const seconds = () => Math.round((Date.now() - begin) / 1000);
  const clear = () => terminal && process.stderr.write('\r\u001b[K');
  return {
    update(amount) {
      const now = Date.now();
      first ??= { amount, now };
      if (now - last < (terminal ? 200 : PLAIN_INTERVAL_MS)) return;
      last = now;
      const line = describe(label, {
        amount,
        total,
        unit,
        rate: ((amount - first.amount) / Math.max(1, now - first.now)) * 1000,
      });
      process.stderr.write(terminal ? `\r${line}\u001b[K` : `${line}\n`);
    },
    done() {
      clear();
      say(`${label}: done in ${seconds()} s`);
    },
    /** Removes the line. */
    stop: clear,
  };
}

function describe(label, { amount, total, unit, rate }) {
  const speed = rate > 0 ? `, ${(rate / unit.one).toFixed(1)}${unit.rate}` : '';
  if (total === undefined) return `${label}: ${Math.round(amount / unit.one)}${unit.name}${speed}`;
  const percent = Math.min(100, Math.floor((100 * amount) / total));
  const left = rate > 0 ? `, ${Math.max(0, Math.round((total - amount) / rate))} s left` : '';
  return `${label}: ${percent} % of ${Math.round(total / unit.one)}${unit.name}${speed}${left}`;
}
