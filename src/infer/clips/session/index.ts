export type {
  ClipSession,
  Course,
  Direction,
  SessionFrame,
  SessionSegment,
  SessionState,
} from './clip-session.js';
export { DetectionSession } from './detection-session.js';
export { MemorySession } from './memory-session.js';
