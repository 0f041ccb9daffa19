export { type BiomedParseOptions, BiomedParsePredictor, type PhraseMask } from './biomed-parse-predictor.js';
