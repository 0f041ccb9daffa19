export { ClipDesk, type ClipDeskOptions, type ClipModels } from './clip-desk.js';
export type { ClipAnswers, ClipJob, OpenedClipRecord, SentFrame, SentTrack } from './clip-jobs.js';
