export { type AuditOptions, auditDatasets } from './audit.js';
export { auditCacheDirectory } from './cache.js';
export { auditForTraining, type TrainingAuditOptions } from './for-training.js';
export { type OpenedFolders, openFolders } from './open-folders.js';
export { writeAuditPage } from './page/write-page.js';
export type {
  AuditPart,
  AuditReport,
  DatasetSummary,
  Level,
  PaperCounts,
  PartSummary,
  PicturePlace,
  Problem,
  SharedGroup,
  Twins,
} from './types.js';
