import type { AnswerOf, Engine, Job } from './engine/index.js';
import { HttpError } from './http-error.js';

/** Retry-After, in seconds, before anything was measured. */
const FIRST_GUESS_S = 2;

/** Logged status of a request whose client has disconnected; nobody reads the response. */
export const SENDER_LEFT = 499;

/**
 * Passes one job at a time to the engine. A request is queued once its body is complete, so that slow uploads do not block
 * others; beyond the limit it is refused. A client that disconnects while waiting frees its place at once.
 */
export class Queue {
  private readonly engine: Engine;
  private readonly places: number;
  private readonly timeoutMs: number;
  private readonly waiting: (() => void)[] = [];
  private busy = false;
  private meanS = FIRST_GUESS_S;

  constructor(engine: Engine, { waiting, timeoutMs }: { readonly waiting: number; readonly timeoutMs: number }) {
    this.engine = engine;
    this.places = waiting + 1;
    this.timeoutMs = timeoutMs;
  }

  /** Number of running and queued requests. */
  get length(): number {
    return this.waiting.length + (this.busy ? 1 : 0);
  }

  /** @throws HttpError 429 when the queue is full. */
  checkRoom(): void {
    if (this.length < this.places) return;
    const { retryAfter } = this;
    throw new HttpError({
      code: 'E_HTTP_BUSY',
      status: 429,
      retryAfter,
      where: 'server',
      what: `${this.length} requests are before this one`,
      fix: `Try again in ${retryAfter} s`,
    });
  }

  /**
   * Runs a job when its turn comes. Once this settles, nothing of the job is left in memory.
   *
   * @param gone - aborted when the client has disconnected; a job that has not started is then skipped.
   * @param options - `keepsPlace`: it continues a request that was accepted before. Default: false.
   * @throws HttpError 429 when the queue is full, 503 when the job timed out while waiting, 504 when it ran too long.
   */
  async run<J extends Job>(
    job: J,
    gone?: AbortSignal,
    { keepsPlace = false }: { readonly keepsPlace?: boolean } = {},
  ): Promise<AnswerOf<J>> {
    if (!keepsPlace) this.checkRoom();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.timeoutMs);
    try {
      await this.turn(late.signal, gone);
      try {
        const begin = performance.now();
        const answer = await this.engine.run(job, late.signal);
        this.meanS = 0.7 * this.meanS + 0.3 * ((performance.now() - begin) / 1000);
        return answer;
      } finally {
        this.next();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private turn(late: AbortSignal, gone: AbortSignal | undefined): Promise<void> {
    if (gone?.aborted === true) return Promise.reject(senderLeft());
    if (!this.busy) {
      this.busy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        late.removeEventListener('abort', onLate);
        gone?.removeEventListener('abort', onGone);
        finish();
      };
      const begin = () => settle(resolve);
      const leave = (error: HttpError) => {
        this.waiting.splice(this.waiting.indexOf(begin), 1);
        settle(() => reject(error));
      };
      const onLate = () => leave(this.tooLate());
      const onGone = () => leave(senderLeft());
      late.addEventListener('abort', onLate);
      gone?.addEventListener('abort', onGone);
      this.waiting.push(begin);
    });
  }

  private next(): void {
    const begin = this.waiting.shift();
    if (begin === undefined) this.busy = false;
    else begin();
  }

  private get retryAfter(): number {
    return Math.max(1, Math.ceil(this.meanS * this.length));
  }

  private tooLate(): HttpError {
    return new HttpError({
      code: 'E_HTTP_BUSY',
      status: 503,
      retryAfter: this.retryAfter,
      where: 'server',
      what: 'the turn of this request did not come in time',
      fix: 'Try again later',
    });
  }
}

function senderLeft(): HttpError {
  return new HttpError({ code: 'E_HTTP_SENDER_LEFT', status: SENDER_LEFT, where: 'connection', what: 'the sender has left' });
}
