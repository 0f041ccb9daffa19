import type { Logger } from '../util/index.js';

/** Progress and results on standard error, so that standard output stays for data. */
export const consoleLogger: Logger = {
  info: (message) => process.stderr.write(`${message}\n`),
  warn: (message) => process.stderr.write(`warning: ${message}\n`),
};
