export { type Detector, GroundingDinoPredictor, type GroundingDinoPredictorOptions } from './detector.js';
export { GroundedSegmenter, type LoadOptions, type Segment } from './grounded-segmenter.js';
export { type Masker, type MaskPrediction, Sam2ImagePredictor, type Sam2ImagePredictorOptions } from './masker.js';
