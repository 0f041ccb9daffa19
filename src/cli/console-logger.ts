import type { Logger } from '../util/index.js';
import { printLine } from './terminal.js';

/** Logs to standard error, so that standard output is reserved for data. */
export const consoleLogger: Logger = {
  info: (message) => printLine(message),
  warn: (message) => printLine(`warning: ${message}`),
};
