import { type CodeOf, type ErrorCode, type ErrorParts, SonogroundError } from '../util/index.js';

/** A request that ends with an HTTP error status. */
export class HttpError extends SonogroundError {
  declare readonly code: CodeOf<'HttpError'>;
  readonly status: number;
  /** Retry-After, in seconds. */
  readonly retryAfter: number | undefined;
  /** Methods allowed on the path, for status 405. */
  readonly allow: string | undefined;

  constructor({
    status,
    retryAfter,
    allow,
    ...parts
  }: ErrorParts<CodeOf<'HttpError'>> & { readonly status: number; readonly retryAfter?: number; readonly allow?: string }) {
    super(parts);
    this.status = status;
    this.retryAfter = retryAfter;
    this.allow = allow;
  }
}

/** An error as sent to the client. */
export interface ErrorAnswer {
  readonly status: number;
  /** Error code for programs; see docs/errors.md. */
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}

/** The error while the server is going down. */
export function goingDown(): HttpError {
  return new HttpError({ code: 'E_HTTP_BUSY', status: 503, where: 'server', what: 'it is going down', fix: 'Try again later' });
}
