import { type CodeOf, type ErrorCode, type ErrorParts, SonogroundError } from '../util/index.js';

/** A request that is answered with an error of HTTP. */
export class HttpError extends SonogroundError {
  declare readonly code: CodeOf<'HttpError'>;
  readonly status: number;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;
  /** The methods that the path has, where this one is none of them. */
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

/** An error as it is sent. */
export interface ErrorAnswer {
  readonly status: number;
  /** The kind of failure, for programs: one of docs/errors.md. */
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}
