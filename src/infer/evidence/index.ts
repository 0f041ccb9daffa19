export type { EvidenceSettings } from './evidence-settings.js';
export { foundInFiles, separateObjects, trackedObjects } from './found-in-file.js';
export { volumesInPlanes } from './volumes-in-planes.js';
export { type EvidenceSource, type EvidenceSummary, writeEvidence } from './write-evidence.js';
