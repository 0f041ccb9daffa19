export type { Engine, EngineFacts, EngineOptions } from './engine.js';
export {
  type AnswerOf,
  type ImageSource,
  type Job,
  type MaskPrompt,
  maskFormats,
  type OpenedImage,
  type SentSegment,
} from './jobs.js';
export { LocalEngine } from './local-engine.js';
export { ProcessEngine } from './process-engine.js';
