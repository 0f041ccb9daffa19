export { CarriedBoxes, type PromptedMasker } from './carried-boxes.js';
export type { ClipFrame, ClipOptions, ClipSegment, ClipSegmenter, TrackingKind } from './clip-segment.js';
export { DetectionTracker } from './detected-clip.js';
export { type ClipSettings, type ClipsSummary, type RunClipsOptions, runClips } from './run-clips.js';
export { TrackedSegmenter } from './tracked-segmenter.js';
