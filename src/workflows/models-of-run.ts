import type { LoadOptions } from '../infer/index.js';
import type { RunConfig } from '../train/index.js';

/** The initial models of a run, with the adapters that it names. */
export function selectStartingModels({
  model: { detector, masker, adapter, maskerAdapter },
}: Pick<RunConfig, 'model'>): LoadOptions {
  return { detector, masker, ...(adapter && { adapter }), ...(maskerAdapter && { maskerAdapter }) };
}

/** The models of a trained run: its best weights replace the model that it trained. */
export function selectTrainedModels(config: Pick<RunConfig, 'task' | 'model' | 'lora'>, bestDir: string): LoadOptions {
  const start = selectStartingModels(config);
  if (config.task === 'masker') return { ...start, [config.lora === undefined ? 'masker' : 'maskerAdapter']: bestDir };
  return { ...start, [config.lora === undefined ? 'detector' : 'adapter']: bestDir };
}
