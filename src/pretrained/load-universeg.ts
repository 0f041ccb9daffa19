import { parseUniverSegConfig, UniverSeg, type UniverSegConfig, universegAuthorsKeys } from '../models/universeg/index.js';
import type { Rng } from '../util/index.js';
import { loadCheckpoint } from '../weights/index.js';
import { resolveModel } from './load-model.js';
import { readModelConfig } from './model-config.js';

/** A UniverSeg with its configuration. */
export interface UniverSegParts {
  readonly model: UniverSeg;
  readonly config: UniverSegConfig;
}

/** Parsers of UniverSeg configurations, by `model_type`. */
export const universegConfigs = { universeg: parseUniverSegConfig };

/**
 * Reads the configuration of a UniverSeg without its weights.
 *
 * @throws CheckpointError for another model, or a file that cannot be read.
 */
export async function readUniverSegConfig(path: string): Promise<UniverSegConfig> {
  return readModelConfig(await resolveModel(path), universegConfigs);
}

/**
 * Loads a UniverSeg.
 *
 * @param path - a model directory, the published `.pt` file, or the name of a downloaded model.
 * @throws CheckpointError naming the file that is missing, of another model, or does not fit.
 */
export async function loadUniverSeg(path: string, { random }: { readonly random?: Rng } = {}): Promise<UniverSegParts> {
  const place = await resolveModel(path);
  const config = await readModelConfig(place, universegConfigs);
  const model = new UniverSeg(config);
  try {
    if (random === undefined) await loadCheckpoint(model, place, { namings: [universegAuthorsKeys] });
    else model.initialise(random);
    return { model, config };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
