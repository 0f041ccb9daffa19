/** The files of a run: settings, data, weights, checkpoints, and where training stands. */

export { type DataRecord, differences, digestOf, recordData } from './data-record.js';
export { flatSettings, type Settings } from './fingerprint.js';
export { RunFiles } from './run-files.js';
export { withRunLock } from './run-folder.js';
export { RunPosition } from './run-position.js';
export { restoreArrays, type TrainingArrays, trainable, withArrays } from './training-state.js';
export { stepVersions, versions } from './versions.js';
