export { encodeReport, type ReportOptions } from './report.js';
