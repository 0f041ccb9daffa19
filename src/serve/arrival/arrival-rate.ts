/** How slowly a body may arrive. */
export interface RateLimits {
  /** Bytes a second, on average over each window. */
  readonly leastBytesPerS: number;
  readonly windowMs: number;
  /** Milliseconds for the whole body. */
  readonly timeoutMs: number;
}

/**
 * Tells whether a body arrives fast enough. Each window of time wants its own bytes: a sender who was fast at first gains no right
 * to dribble afterwards. It has no clock: the caller says what time it is.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html, which lengthens one deadline instead.
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

  /** Looks at the window that is over, if one is, and begins the next. */
  check(nowMs: number): 'in time' | 'slow' | 'late' {
    const { leastBytesPerS, windowMs, timeoutMs } = this.limits;
    if (nowMs - this.beginMs >= timeoutMs) return 'late';
    const passedMs = nowMs - this.windowBeginMs;
    if (passedMs < windowMs) return 'in time';
    // Of the time that passed, in case that the caller comes late.
    if (this.bytes < (leastBytesPerS * passedMs) / 1000) return 'slow';
    this.windowBeginMs = nowMs;
    this.bytes = 0;
    return 'in time';
  }
}
