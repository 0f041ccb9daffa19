export { CarriedBoxes, type PromptedMasker } from './carried-boxes.js';
export type { ClipFrame, ClipOptions, ClipSegment, ClipSegmenter, TrackingKind } from './clip-segment.js';
export { DetectionTracker } from './detected-clip.js';
export { runClips } from './run-clips.js';
export {
  type ClipSession,
  type Course,
  DetectionSession,
  type Direction,
  MemorySession,
  type SessionFrame,
  type SessionSegment,
  type SessionState,
} from './session/index.js';
export { type TrackedLoadOptions, type TrackedModels, TrackedSegmenter } from './tracked-segmenter.js';
