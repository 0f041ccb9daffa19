/** Evaluation: answers, summaries, tables, figures and pages. */

export {
  type ClipMethod,
  type ClipProtocol,
  type ClipScore,
  type ClipSummary,
  clipProtocols,
  clipTable,
  type LabelledClip,
  phantomClips,
  scoreClip,
  sequencesOf,
  summariseClips,
} from './clips/index.js';
export { type Collected, type CollectOptions, collect, type EvaluationSplit, type ImagePlace } from './collect.js';
export { type ConstantMask, constantMaskBaseline, constantMaskSchema, type TruthRuns } from './constant-mask.js';
export { comparisonFigure } from './gallery/comparison-figure.js';
export {
  type Answering,
  colouredPhrases,
  type Example,
  exampleOf,
  GALLERY,
  type Ranked,
  rankImages,
  spread,
} from './gallery/examples.js';
export { groupSizes, measureTable } from './measures/measure-table.js';
export { evaluationPage, type HeadlineFigure, type TrustMaterial } from './page/evaluation-page.js';
export { readTrainingCurves } from './page/training-curves.js';
export {
  ANSWERS,
  AnswerCache,
  BoxMethod,
  detectedBoxes,
  detectedCentres,
  drawSupport,
  ExemplarMethod,
  type ExemplarOptions,
  hasAnswers,
  MaskFolderMethod,
  ModelMethod,
  mergeAnswers,
  oracleBoxes,
  oraclePoints,
  PointMethod,
  type PointWay,
  type Support,
  seenBy,
  TextMethod,
} from './predictions/index.js';
export { calibratePresence } from './presence/calibrate.js';
export { type PresenceSummary, presenceSchema, summarisePresence } from './presence/presence-summary.js';
export { paperDataset } from './published/datasets.js';
export { publishedRuntime } from './published/figures.js';
export {
  robustnessSchema,
  robustnessTable,
  type StructureRobustness,
  summariseRobustness,
} from './robustness/robustness-summary.js';
export type { WordingRow } from './robustness/wording-rows.js';
export { readWordings, type Wordings, wordingsOf } from './robustness/wordings.js';
export { comparisonSchema, comparisonTable } from './summary/comparison.js';
export { datasetScoreSchema } from './summary/dataset-score.js';
export {
  type BoxesByDataset,
  type Comparison,
  compareMethods,
  type DatasetScore,
  type Ends,
  type MeanOfDatasets,
  type ProtocolSummary,
  type StructureScore,
  scoreRows,
  summariseProtocol,
} from './summary/index.js';
export { perImageCsv } from './summary/per-image-csv.js';
export { protocolSummarySchema } from './summary/protocol-summary.js';
export { type AblationVariant, ablationTable } from './tables/ablation-table.js';
export { between, figure, meanStd, percentText } from './tables/figures.js';
export { type MethodSummary, markdownTable, scoreTable, type Table, writeTable } from './tables/index.js';
export { kidneyTable, kidneyWordings } from './tables/kidney-table.js';
export { paperScoreTable } from './tables/paper-scores.js';
export type { Cell, TableRow } from './tables/table.js';
export type { TrustedRow } from './trust/trust-rows.js';
export { reviewTable, summariseTrust, trustSchema } from './trust/trust-summary.js';
