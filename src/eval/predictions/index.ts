export { AnswerCache } from './answer-cache.js';
export { imageFingerprint, modelFingerprint } from './fingerprint.js';
export { MaskFolderMethod } from './mask-folder.js';
export { ANSWERS, hasAnswers, mergeAnswers } from './merge-answers.js';
export { ModelMethod } from './model-method.js';
