/** Where library code reports what a person may want to know. Only `cli` decides what becomes of it. */
export interface Logger {
  /** Takes a line that tells how things go. */
  info(message: string): void;
  /** Takes a line that somebody should look at. */
  warn(message: string): void;
}

/** Says nothing. Default of every library function that takes a logger. */
export const silentLogger: Logger = { info: () => {}, warn: () => {} };
