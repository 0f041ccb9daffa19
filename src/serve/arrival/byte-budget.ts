import { HttpError } from '../http-error.js';

/** Retry-After, in seconds, when memory is full. */
const RETRY_S = 5;

/** Memory budget for all requests together: bodies as they arrive, and responses until they are delivered. */
export class ByteBudget {
  private readonly most: number;
  private taken = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Bytes currently held. */
  get held(): number {
    return this.taken;
  }

  /** @throws HttpError 503 when there is no room for this many bytes. */
  checkRoom(bytes: number): void {
    if (this.taken + bytes <= this.most) return;
    throw new HttpError({
      code: 'E_HTTP_BUSY',
      status: 503,
      retryAfter: RETRY_S,
      where: 'server',
      what: 'the requests of others fill its memory',
      fix: `Try again in ${RETRY_S} s`,
    });
  }

  /** Creates the share of one request, initially empty. */
  share(): Share {
    let own = 0;
    let holders = 1;
    return {
      take: (bytes) => {
        this.checkRoom(bytes);
        own += bytes;
        this.taken += bytes;
      },
      hold: () => {
        holders += 1;
      },
      release: () => {
        holders -= 1;
        if (holders > 0) return;
        this.taken -= own;
        own = 0;
      },
    };
  }
}

/** One request's share of a budget; returned when all its holders have released it. */
export interface Share {
  /** @throws HttpError 503 when there is no room. */
  take(bytes: number): void;
  hold(): void;
  release(): void;
}
