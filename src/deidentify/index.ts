/** De-identification of images: pixels, headers, names, and the report for a person to confirm. */

export type { BlankBox } from './job.js';
export { readOrMakeKey } from './key-file.js';
export { Pseudonyms } from './pseudonyms.js';
export { deidentifyFolder, summaryOf } from './run.js';
