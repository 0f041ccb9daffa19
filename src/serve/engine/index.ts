export type { Engine, EngineFacts } from './engine.js';
export {
  type AnswerOf,
  type ImageSource,
  type Job,
  maskFormats,
  type MaskPrompt,
  type OpenedImage,
  type SentSegment,
} from './jobs.js';
export { LocalEngine } from './local-engine.js';
export { type EngineOptions, ThreadEngine } from './thread-engine.js';
