/** Where library code reports what a person may want to know. Only `cli` decides what becomes of it. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
}

/** Says nothing. Default of every library function that takes a logger. */
export const silentLogger: Logger = { info: () => {}, warn: () => {} };
