import type { IncomingMessage } from 'node:http';
import { HttpError } from '../http-error.js';
import { bodyBytes, type ServeLimits } from '../limits.js';
import { ArrivalRate } from './arrival-rate.js';

/** How many times the largest body is read on after a refusal, so that the sender gets to read the answer. */
const READ_ON = 4;

interface Guard {
  readonly limits: ServeLimits;
  /** Bytes at most. */
  readonly most: number;
  /** Called for each piece; what it throws ends the body. */
  readonly take: (bytes: number) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Looks on while a body arrives, and complains once: of too many bytes, of too few a second, of too long a time, or of what `take`
 * throws. The stream is paused until somebody reads it, as parsers do.
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
  // Else the first listener makes it flow, before those who want the bytes listen.
  raw.pause();
  raw.on('data', onData).once('end', stop).once('close', stop);
}

/**
 * Reads what is left of a body that nobody wants any more and forgets it: many senders read no answer before they have sent all. It
 * has the same limits of time; past those, or where it is far too large, the connection is cut.
 */
export function discardBody(raw: IncomingMessage, limits: ServeLimits): void {
  if (raw.complete || raw.readableEnded || raw.destroyed) return;
  // Whoever still listens would collect it.
  raw.unpipe();
  raw.removeAllListeners('data');
  guardBody(raw, { limits, most: READ_ON * bodyBytes(limits), take: () => {}, fail: () => raw.destroy() });
  raw.resume();
}

/** @returns the answer to a body that is larger than any that is taken. */
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
