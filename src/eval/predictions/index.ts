export type { Method } from '../../protocols/index.js';
export { type Answer, type AnsweredBox, WHOLE } from '../../protocols/index.js';
export { AnswerCache, type AnswerKey } from './answer-cache.js';
export { imageFingerprint, modelFingerprint, textFingerprint } from './fingerprint.js';
export { MaskFolderMethod } from './mask-folder.js';
export { ANSWERS, hasAnswers, mergeAnswers } from './merge-answers.js';
export { type MaskPolicy, ModelMethod, type ModelMethodOptions } from './model-method.js';
