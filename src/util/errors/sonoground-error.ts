import { cleaned } from '../shown.js';
import type { ErrorCode } from './codes.js';

/** The parts of an error: its code, where it happened, what is wrong, how to fix it. */
export interface ErrorParts<Code extends ErrorCode = ErrorCode> {
  /** The kind of failure, for programs. */
  readonly code: Code;
  /** The place: a file, a config key, an argument. */
  readonly where: string;
  /** The problem, as a short clause. */
  readonly what: string;
  /** A remedy, in terms of the library; the command line adds its own commands by code. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** Maximum lengths of an error's parts, since names and values from files may be arbitrarily long. */
const WHERE_LENGTH = 1000;
const WHAT_LENGTH = 8000;

/**
 * Base of all errors with a readable message. Programs distinguish errors by `code`, which stays the same when the message is
 * reworded. The command line prints the message without a stack trace. Text from files may be in it: control characters are
 * escaped and long text is truncated.
 */
export class SonogroundError extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly what: string;
  readonly fix: string | undefined;

  constructor({ code, fix, cause, ...parts }: ErrorParts) {
    const where = cleaned(parts.where, WHERE_LENGTH);
    const what = cleaned(parts.what, WHAT_LENGTH);
    const end = /[.?!]$/.test(what) ? '' : '.';
    super(
      fix === undefined ? `${where}: ${what}` : `${where}: ${what}${end} ${fix}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.where = where;
    this.what = what;
    this.fix = fix;
  }
}
