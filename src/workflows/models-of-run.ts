import type { LoadOptions } from '../infer/index.js';
import type { RunConfig } from '../train/index.js';
import { UsageError } from '../util/index.js';

/** The initial models of a run, with the adapters that it names. */
export function selectStartingModels({
  model: { detector, masker, adapter, maskerAdapter },
}: Pick<RunConfig, 'model'>): LoadOptions {
  return { detector, masker, ...(adapter && { adapter }), ...(maskerAdapter && { maskerAdapter }) };
}

/**
 * The models of a trained run: its best weights replace the model that it trained.
 *
 * @throws UsageError for a run of UniverSeg, which takes exemplars and no prompt.
 */
export function selectTrainedModels(config: Pick<RunConfig, 'task' | 'model' | 'lora'>, bestDir: string): LoadOptions {
  if (config.task === 'universeg')
    throw new UsageError({
      code: 'E_RUN_UNUSABLE',
      where: bestDir,
      what: 'it is a UniverSeg, which takes exemplars and no prompt',
      fix: 'Use it with infer --exemplars DIR --model, or with eval --method universeg',
    });
  const start = selectStartingModels(config);
  if (config.task === 'masker' || config.task === 'memory')
    return { ...start, [config.lora === undefined ? 'masker' : 'maskerAdapter']: bestDir };
  return { ...start, [config.lora === undefined ? 'detector' : 'adapter']: bestDir };
}
