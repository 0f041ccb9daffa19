export { auditDatasets } from './audit.js';

export { joinCopies } from './copies.js';
export { type Fingerprint, fingerprintOf } from './fingerprint.js';
export { auditForTraining } from './for-training.js';
export { openFolders } from './open-folders.js';
export { writeAuditPage } from './page/write-page.js';
export { findTwins } from './twins.js';
export type {
  AuditReport,
  Twins,
} from './types.js';
