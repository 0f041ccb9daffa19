import type { SamImageFeatures } from '../models/sam/index.js';
import type { MaskerParts } from '../pretrained/index.js';
import { SamImagePredictor } from './sam-predictor.js';
import { Sam2ImagePredictor } from './sam2-predictor.js';

/** Creates the predictor for a loaded masker. */
export function createMasker(parts: MaskerParts): SamImagePredictor<SamImageFeatures> | Sam2ImagePredictor {
  if (parts.type === 'sam2') return new Sam2ImagePredictor(parts);
  return new SamImagePredictor({ ...parts, imageSize: parts.config.vision.imageSize });
}
