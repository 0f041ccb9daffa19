export type { Engine, EngineFacts } from './engine.js';
export {
  type AnswerOf,
  type ExemplarMaskSource,
  type ImageSource,
  type Job,
  maskFormats,
} from './jobs.js';
export type { LabelsAnswer } from './label-maps.js';
export { LocalEngine } from './local-engine.js';
export { ProcessEngine } from './process-engine.js';
