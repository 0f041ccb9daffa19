import { samAuthorsUnusedKeys } from '../models/sam/index.js';
import { parseSamusConfig, Samus, type SamusConfig, samusAuthorsKeys } from '../models/samus/index.js';
import { loadCheckpoint } from '../weights/index.js';
import { resolveModel } from './load-model.js';
import { readModelConfig } from './model-config.js';

/** A SAMUS with its configuration. */
export interface SamusParts {
  readonly model: Samus;
  readonly config: SamusConfig;
}

/** Parsers of SAMUS configurations, by `model_type`. */
export const samusConfigs = { samus: parseSamusConfig };

/**
 * Loads a SAMUS.
 *
 * @param path - a model directory, the published `.pth` file, or the name of a downloaded model.
 * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
 */
export async function loadSamus(path: string): Promise<SamusParts> {
  const place = await resolveModel(path);
  const config = await readModelConfig(place, samusConfigs);
  const model = new Samus(config);
  try {
    await loadCheckpoint(model, place, { namings: [samusAuthorsKeys], ignore: samAuthorsUnusedKeys });
    return { model, config };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
