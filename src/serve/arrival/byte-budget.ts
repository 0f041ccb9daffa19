import { HttpError } from '../http-error.js';

/** Seconds after which those who found no room may try again. */
const RETRY_S = 5;

/** The bytes that all requests together may hold in memory: bodies as they arrive, and answers until they are taken. */
export class ByteBudget {
  private readonly most: number;
  private taken = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.taken;
  }

  /** @throws HttpError 503 when there is no room for so many more. */
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

  /** What one request holds, nothing at first. */
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

/** What one request holds of a budget; given back when everybody who holds it has let go. */
export interface Share {
  /** @throws HttpError 503 when there is no room. */
  take(bytes: number): void;
  hold(): void;
  release(): void;
}
