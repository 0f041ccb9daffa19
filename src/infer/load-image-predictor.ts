import { ensureBackend } from '../backend/index.js';
import type { SamImageFeatures } from '../models/sam/index.js';
import { type AdaptedOptions, loadMasker } from '../pretrained/index.js';
import { createMasker } from './create-masker.js';
import type { SamImagePredictor } from './sam-predictor.js';
import type { Sam2ImagePredictor } from './sam2-predictor.js';

/**
 * Loads SAM, MedSAM or SAM 2, detecting which, for prompts of points, boxes and earlier masks. Initialises the fastest available
 * backend unless one was initialised before.
 *
 * @param model - a Hugging Face model directory, a checkpoint of the authors, or the name of a downloaded model.
 * @throws CheckpointError naming the file that is missing or does not fit.
 */
export async function loadImagePredictor(
  model: string,
  options: AdaptedOptions = {},
): Promise<SamImagePredictor<SamImageFeatures> | Sam2ImagePredictor> {
  await ensureBackend();
  return createMasker(await loadMasker(model, options));
}
