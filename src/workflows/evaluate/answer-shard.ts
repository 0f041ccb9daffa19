import { ensureBackend } from '../../backend/index.js';
import { collect } from '../../eval/index.js';
import type { Shard } from '../../infer/index.js';
import type { RunConfig } from '../../train/index.js';
import { collectOptionsOf } from './evaluate-run.js';
import { openMethods } from './methods.js';
import { type EvaluateRunOptions, settingsOf } from './options.js';
import { openRunFolds } from './run-folds.js';

/**
 * Asks the models about one part of the images and remembers what they answer, below the run's folder. When all parts are done, by
 * whatever machines, {@link evaluateRun} finds all answers there and makes the report without asking again.
 *
 * @returns how many images the part has.
 */
export async function answerShard(config: RunConfig, options: EvaluateRunOptions, shard: Shard): Promise<number> {
  await ensureBackend();
  const settings = settingsOf(options);
  const { onProgress } = settings;
  const runFolds = await openRunFolds(config, settings.adapter);
  const methods = await openMethods(runFolds, { config, ablation: settings.tables.includes(2), ...settings });
  const collectOptions = { ...collectOptionsOf(config, settings), shard, ...(onProgress && { onProgress }) };
  try {
    const [first] = runFolds;
    const [own] = methods.ours;
    // What a calibration will ask about as well.
    if (settings.calibrate !== undefined && first !== undefined && own !== undefined)
      await collect([{ dataset: first.data.val, methods: [own] }], { ...collectOptions, trust: false, wordings: () => [] });
    return (await collect(methods.splits, collectOptions)).places.length;
  } finally {
    for (const method of new Set(methods.splits.flatMap((split) => [...split.methods]))) await method.dispose();
  }
}
