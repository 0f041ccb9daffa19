import { cleaned } from '../shown.js';

/** What an error message is made of: where it happened, what was expected, what came, what to do. */
export interface ErrorParts {
  /** The place: a file, a config key, an argument. */
  readonly where: string;
  /** What is wrong there, as a short clause. */
  readonly what: string;
  /** What the reader can do about it. */
  readonly fix?: string;
  readonly cause?: unknown;
}

/** No message is longer, whatever a file has in the place of a name. */
const WHERE_LENGTH = 1000;
const WHAT_LENGTH = 8000;

/**
 * Base of every error that is meant to be read by a person. The command line prints its message without a stack trace. What comes
 * from files may be in it: it is cleaned of control characters, and cut where it is too long.
 */
export class SonogroundError extends Error {
  readonly where: string;
  readonly what: string;
  readonly fix: string | undefined;

  constructor({ fix, cause, ...parts }: ErrorParts) {
    const where = cleaned(parts.where, WHERE_LENGTH);
    const what = cleaned(parts.what, WHAT_LENGTH);
    super(fix === undefined ? `${where}: ${what}` : `${where}: ${what}. ${fix}`, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.where = where;
    this.what = what;
    this.fix = fix;
  }
}
