/** How an answer is scored: the strict protocol and the paper's. */

export { type Answer, type AnsweredBox, type Counting, countedBoxes, WHOLE } from './answer.js';
export { foldImages, type ImageScore } from './image-score.js';
export { isMasked } from './judge.js';
export { judgedRows, type Means, meansOf } from './means.js';
export { type Method, type SeenInTraining, UNTRAINED_IMAGES } from './method.js';
export { PAPER_THRESHOLD, paperRows } from './paper.js';
export { leakOf, type PromptPlan, phrasesOf, planPrompt } from './prompt-plan.js';
export { type DistanceUnit, type ProtocolName, protocols, type TargetRow } from './row.js';
export { type MeasureName, measureNames, type SizePair } from './sizes.js';
export { promptText, strictRows, targetsOf } from './strict.js';
export { type DatasetSurvey, surveyDatasets } from './survey.js';
