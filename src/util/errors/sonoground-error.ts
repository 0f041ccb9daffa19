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

/** Base of every error that is meant to be read by a person. The command line prints its message without a stack trace. */
export class SonogroundError extends Error {
  readonly where: string;
  readonly what: string;
  readonly fix: string | undefined;

  constructor({ where, what, fix, cause }: ErrorParts) {
    super(fix === undefined ? `${where}: ${what}` : `${where}: ${what}. ${fix}`, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.where = where;
    this.what = what;
    this.fix = fix;
  }
}
