/** What the set-up says to a person: one line an event, on standard error, and a progress line for downloads. */

/** Prints a line. */
export function say(message) {
  process.stderr.write(`${message}\n`);
}

/** A problem that is told in one line, without a stack trace. */
export class SetupError extends Error {}

/** Runs the main function of a script; a problem ends it with a line and exit code 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (process.env.SONOGROUND_DEBUG) throw error;
    say(
      `sonoground: ${error instanceof SetupError ? error.message : `${error.message ?? error} (set SONOGROUND_DEBUG=1 for details)`}`,
    );
    process.exitCode = 1;
  }
}

/** How often a log without a terminal gets a progress line. */
const PLAIN_INTERVAL_MS = 5000;

/** A line that shows how much of a download is there: percent, rate and time left. `update` takes bytes. */
export function downloadProgress(label, total) {
  const begin = Date.now();
  const terminal = process.stderr.isTTY;
  let last = 0;
  let first;
  return {
    update(bytes) {
      const now = Date.now();
      first ??= { bytes, now };
      if (now - last < (terminal ? 200 : PLAIN_INTERVAL_MS)) return;
      last = now;
      const rate = (bytes - first.bytes) / Math.max(1, now - first.now) / 1000;
      const left = rate > 0 ? Math.round((total - bytes) / 1e6 / rate) : undefined;
      const percent = Math.min(100, Math.floor((100 * bytes) / total));
      const line = `${label}: ${percent} % of ${Math.round(total / 1e6)} MB, ${rate.toFixed(1)} MB/s${left === undefined ? '' : `, ${left} s left`}`;
      process.stderr.write(terminal ? `\r${line}\u001b[K` : `${line}\n`);
    },
    done() {
      if (terminal) process.stderr.write('\r\u001b[K');
      say(`${label}: done in ${Math.round((Date.now() - begin) / 1000)} s`);
    },
  };
}
