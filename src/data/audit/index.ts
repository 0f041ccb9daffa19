export { type AuditOptions, auditDatasets } from './audit.js';
export { auditCacheDirectory } from './cache.js';
export { type CopyGroups, joinCopies } from './copies.js';
export { type Fingerprint, fingerprintOf } from './fingerprint.js';
export { auditForTraining, type TrainingAuditOptions } from './for-training.js';
export { type OpenedFolders, openFolders } from './open-folders.js';
export { writeAuditPage } from './page/write-page.js';
export { findTwins } from './twins.js';
export type {
  AuditReport,
  AuditSplit,
  DatasetSummary,
  ImageLocation,
  Level,
  PaperCounts,
  Problem,
  SharedGroup,
  SplitSummary,
  Twins,
} from './types.js';
