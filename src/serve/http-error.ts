import { type ErrorParts, SonogroundError } from '../util/index.js';

/** A request that is answered with an error of HTTP. */
export class HttpError extends SonogroundError {
  readonly status: number;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;

  constructor({ status, retryAfter, ...parts }: ErrorParts & { readonly status: number; readonly retryAfter?: number }) {
    super(parts);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
