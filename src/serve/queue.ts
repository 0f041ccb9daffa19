import type { AnswerOf, Engine, Job } from './engine/index.js';
import { HttpError } from './http-error.js';

/** A place in the queue; free again when everybody who holds it has let go. */
export class Place {
  private readonly free: () => void;
  private holders = 1;

  constructor(free: () => void) {
    this.free = free;
  }

  hold(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    if (this.holders === 0) this.free();
  }
}

/** Shown as Retry-After before anything was measured, in seconds. */
const FIRST_GUESS_S = 2;

/**
 * Lets one job at a time to the engine. A request takes a place before its body is read, so that those who wait cannot fill the
 * memory; past the last place it is sent away.
 */
export class Queue {
  private readonly engine: Engine;
  private readonly places: number;
  private readonly timeoutMs: number;
  private taken = 0;
  private meanS = FIRST_GUESS_S;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, { waiting, timeoutMs }: { readonly waiting: number; readonly timeoutMs: number }) {
    this.engine = engine;
    this.places = waiting + 1;
    this.timeoutMs = timeoutMs;
  }

  /** Requests that are computed, wait, or are still arriving. */
  get length(): number {
    return this.taken;
  }

  /** @throws HttpError 429 when all places are taken. */
  enter(): Place {
    if (this.taken >= this.places) {
      const retryAfter = Math.max(1, Math.ceil(this.meanS * this.taken));
      throw new HttpError({
        status: 429,
        retryAfter,
        where: 'server',
        what: `${this.taken} requests are before this one`,
        fix: `Try again in ${retryAfter} s`,
      });
    }
    this.taken += 1;
    return new Place(() => {
      this.taken -= 1;
    });
  }

  /**
   * Runs a job when its turn comes.
   *
   * @param place - stays taken until the job is over, also when nobody waits for it any more: its image is in memory till then.
   * @param gone - aborted when nobody waits for the answer any more; a job that has not begun is then left out.
   * @throws HttpError 503 when its time was over before its turn came, 504 when it ran too long.
   */
  async run<J extends Job>(job: J, place?: Place, gone?: AbortSignal): Promise<AnswerOf<J>> {
    place?.hold();
    const late = AbortSignal.timeout(this.timeoutMs);
    const turn = this.tail;
    const result = turn.then(async () => {
      if (gone?.aborted === true || late.aborted) throw this.tooLate();
      const begin = performance.now();
      const answer = await this.engine.run(job, late);
      this.meanS = 0.7 * this.meanS + 0.3 * ((performance.now() - begin) / 1000);
      return answer;
    });
    this.tail = result.catch(() => {}).finally(() => place?.release());
    return Promise.race([result, this.abortOf(late, turn)]);
  }

  /** Throws as soon as the time is over while the job still waits; one that runs is ended by the engine. */
  private abortOf(late: AbortSignal, turn: Promise<unknown>): Promise<never> {
    return new Promise((_resolve, reject) => {
      let begun = false;
      void turn.then(() => {
        begun = true;
      });
      late.addEventListener('abort', () => begun || reject(this.tooLate()), { once: true });
    });
  }

  private tooLate(): HttpError {
    return new HttpError({
      status: 503,
      retryAfter: Math.max(1, Math.ceil(this.meanS * this.taken)),
      where: 'server',
      what: 'the turn of this request did not come in time',
      fix: 'Try again later',
    });
  }
}
