import type { Logger } from '../util/index.js';
import { printLine } from './terminal.js';

/** Progress and results on standard error, so that standard output stays for data. */
export const consoleLogger: Logger = {
  info: (message) => printLine(message),
  warn: (message) => printLine(`warning: ${message}`),
};
