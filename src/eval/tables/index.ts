export { type MethodSummary, scoreTable } from './score-table.js';
export { markdownTable, type Table, writeTable } from './table.js';
