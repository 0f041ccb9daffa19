/** UniverSeg: segmenting from exemplars. */

export { drawSupports, type SupportOptions } from './support-draws.js';
export { type ExemplarPrediction, UniverSegPredictor } from './universeg-predictor.js';
