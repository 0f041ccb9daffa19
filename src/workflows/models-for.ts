import { join } from 'node:path';
import { exists, loadConfig } from '../config/index.js';
import type { LoadOptions, LoadOptionsOrBoxes } from '../infer/index.js';
import { ADAPTER_CONFIG } from '../lora/index.js';
import { isMasker, nanoModels, resolveModel, ultrasoundModels } from '../pretrained/index.js';
import { runConfigSchema } from '../train/index.js';
import { CheckpointError, UsageError } from '../util/index.js';
import { readJson } from '../weights/index.js';
import { selectTrainedModels } from './models-of-run.js';

/** Pairs of shipped models by short name. */
const PAIRS: Readonly<Record<string, LoadOptions>> = { ultrasound: ultrasoundModels, nano: nanoModels };

/**
 * Resolves a name to models:
 *
 * - `ultrasound`, `nano`: the detector and the masker shipped with the package
 * - the folder of a training run: its best weights on its initial models
 * - the folder of a demo: the models that it fine-tuned
 * - the folder of an adapter: the adapter on the model named by `base_model_name_or_path` in its `adapter_config.json`
 * - anything else: a detector, as a folder or the name of a downloaded one, or an exported folder
 *
 * @param others - options that replace those belonging to the name, unless undefined.
 * @throws UsageError if a run has no best weights yet; CheckpointError if an adapter names no model; ConfigError if the settings
 *   of a run cannot be read.
 */
export async function modelsFor(name: string, others: Omit<LoadOptionsOrBoxes, 'detector'> = {}): Promise<LoadOptionsOrBoxes> {
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  return { ...(await named(name)), ...given };
}

async function named(name: string): Promise<LoadOptions> {
  const pair = Object.hasOwn(PAIRS, name) ? PAIRS[name] : undefined;
  if (pair !== undefined) return pair;
  if (await exists(join(name, ADAPTER_CONFIG))) return modelsOfAdapter(name);
  if (await exists(join(name, 'demo.yaml'))) return modelsOfDemo(name);
  const settings = join(name, 'config.yaml');
  if (!(await exists(settings))) return { detector: name };
  const best = join(name, 'best');
  if (!(await exists(best)))
    throw new UsageError({
      code: 'E_RUN_UNUSABLE',
      where: name,
      what: 'this run has no best weights yet',
      fix: 'Wait for its first epoch',
    });
  return selectTrainedModels(await loadConfig(settings, runConfigSchema), best);
}

/** A demo fine-tunes detector and masker in two runs, neither of which knows of the other. */
async function modelsOfDemo(demo: string): Promise<LoadOptions> {
  const { detector, adapter } = await named(join(demo, 'detector'));
  return { ...(await named(join(demo, 'masker'))), ...(detector && { detector }), adapter };
}

async function modelsOfAdapter(adapter: string): Promise<LoadOptions> {
  const file = join(adapter, ADAPTER_CONFIG);
  const { base_model_name_or_path: base } = (await readJson(file)) as { base_model_name_or_path?: unknown };
  if (typeof base !== 'string')
    throw new CheckpointError({
      code: 'E_ADAPTER_BASE',
      where: file,
      what: 'base_model_name_or_path names no model',
      fix: 'Give the model that the adapter was trained on, and the adapter as an adapter of it',
    });
  const masker = await isMasker(await resolveModel(base));
  return masker ? { masker: base, maskerAdapter: adapter } : { detector: base, adapter };
}
