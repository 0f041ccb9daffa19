/** Minimum upload rate of a body. */
export interface RateLimits {
  /** Bytes per second, averaged over each window. */
  readonly leastBytesPerS: number;
  readonly windowMs: number;
  /** Timeout for the whole body, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Checks that a body arrives fast enough. Each time window is checked separately, so that an initial burst is no licence to
 * trickle afterwards. It has no clock: the caller passes the time.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html, which instead extends a single deadline.
 */
export class ArrivalRate {
  private readonly limits: RateLimits;
  private readonly beginMs: number;
  private windowBeginMs: number;
  private bytes = 0;

  constructor(limits: RateLimits, nowMs: number) {
    this.limits = limits;
    this.beginMs = nowMs;
    this.windowBeginMs = nowMs;
  }

  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** Checks the current window if it has ended, and starts the next. */
  check(nowMs: number): 'in time' | 'slow' | 'late' {
    const { leastBytesPerS, windowMs, timeoutMs } = this.limits;
    if (nowMs - this.beginMs >= timeoutMs) return 'late';
    const passedMs = nowMs - this.windowBeginMs;
    if (passedMs < windowMs) return 'in time';
    // Based on elapsed time, in case the call is late.
    if (this.bytes < (leastBytesPerS * passedMs) / 1000) return 'slow';
    this.windowBeginMs = nowMs;
    this.bytes = 0;
    return 'in time';
  }
}
