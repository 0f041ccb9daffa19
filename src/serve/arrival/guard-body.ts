import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.js';
import { bodyBytes, type ServeLimits } from '../limits.js';
import { ArrivalRate } from './arrival-rate.js';

/** After a refusal, this multiple of the largest body is still read, so that the client gets to read the response. */
const READ_ON = 4;

interface Guard {
  readonly limits: ServeLimits;
  /** Maximum number of bytes. */
  readonly most: number;
  /** Called for each chunk; an exception ends the body. */
  readonly take: (bytes: number) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Monitors a body as it arrives, and fails once: for too many bytes, too low a rate, too long a time, or an exception of `take`.
 * The stream stays paused until it is read, as by parsers.
 */
export function guardBody(raw: IncomingMessage, { limits, most, take, fail }: Guard): void {
  const rate = new ArrivalRate(limits, performance.now());
  let total = 0;
  const onData = (piece: Buffer) => {
    total += piece.length;
    rate.add(piece.length);
    try {
      if (total > most) throw tooLarge(limits);
      take(piece.length);
    } catch (error) {
      stop();
      fail(error);
    }
  };
  const timer = setInterval(() => {
    const state = rate.check(performance.now());
    if (state === 'in time') return;
    stop();
    fail(tooSlow(state, limits));
  }, limits.windowMs);
  timer.unref();
  const stop = () => {
    clearInterval(timer);
    raw.off('data', onData).off('end', stop).off('close', stop);
  };
  // Otherwise the first listener starts the flow before the consumers listen.
  raw.pause();
  raw.on('data', onData).once('end', stop).once('close', stop);
}

/**
 * Drains and discards the rest of a refused body: many clients read no response before they have sent everything. The time limits
 * still apply; beyond them, or for a far too large body, the connection is cut.
 */
export function discardBody(raw: IncomingMessage, limits: ServeLimits): void {
  if (raw.complete || raw.readableEnded || raw.destroyed) return;
  // Remaining consumers would buffer it.
  raw.unpipe();
  raw.removeAllListeners('data');
  guardBody(raw, { limits, most: READ_ON * bodyBytes(limits), take: () => {}, fail: () => raw.destroy() });
  raw.resume();
}

/** @returns the error for a body above the size limit. */
export function tooLarge({ uploadBytes }: Pick<ServeLimits, 'uploadBytes'>): HttpError {
  return new HttpError({
    code: 'E_HTTP_TOO_LARGE',
    status: 413,
    where: 'image',
    what: `files of up to ${Number((uploadBytes / 1024 / 1024).toFixed(2))} MB are taken`,
    fix: 'Make it smaller, or start the server with a larger --max-upload',
  });
}

function tooSlow(state: 'slow' | 'late', { leastBytesPerS, windowMs, timeoutMs }: ServeLimits): HttpError {
  const what =
    state === 'slow'
      ? `fewer than ${leastBytesPerS} bytes a second came over ${windowMs / 1000} s`
      : `it took longer than ${timeoutMs / 1000} s to arrive`;
  return new HttpError({
    code: 'E_HTTP_SLOW',
    status: 408,
    where: 'body',
    what,
    fix: 'Send it over a faster connection, or make it smaller',
  });
}
