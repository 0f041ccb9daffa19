export { ClipDesk, type ClipDeskOptions } from './clip-desk.js';
export type { ClipAnswers, ClipJob } from './clip-jobs.js';
