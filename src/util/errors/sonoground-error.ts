import { cleaned } from '../shown.js';
import type { ErrorCode } from './codes.js';

/** What an error is made of: its kind, where it happened, what was expected, what came, what to do. */
export interface ErrorParts<Code extends ErrorCode = ErrorCode> {
  /** The kind of failure, for programs. */
  readonly code: Code;
  /** The place: a file, a config key, an argument. */
  readonly where: string;
  /** What is wrong there, as a short clause. */
  readonly what: string;
  /** What the reader can do about it, in words of the library: a command line adds its own commands by the code. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** No message is longer, whatever a file has in the place of a name. */
const WHERE_LENGTH = 1000;
const WHAT_LENGTH = 8000;

/**
 * Base of every error that is meant to be read by a person. Programs tell errors apart by `code`, which stays where the message is
 * worded anew. The command line prints its message without a stack trace. What comes from files may be in it: it is cleaned of
 * control characters, and cut where it is too long.
 */
export class SonogroundError extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix: string | undefined;

  constructor({ code, fix, cause, ...parts }: ErrorParts) {
    const where = cleaned(parts.where, WHERE_LENGTH);
    const what = cleaned(parts.what, WHAT_LENGTH);
    super(fix === undefined ? `${where}: ${what}` : `${where}: ${what}. ${fix}`, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.where = where;
    this.what = what;
    this.fix = fix;
  }
}
