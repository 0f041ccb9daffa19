/** Receives messages of library code. Only `cli` decides where they go. */
export interface Logger {
  /** Logs progress or results. */
  info(message: string): void;
  /** Logs a problem that needs attention. */
  warn(message: string): void;
}

/** Discards everything. Default of every library function that takes a logger. */
export const silentLogger: Logger = { info: () => {}, warn: () => {} };
