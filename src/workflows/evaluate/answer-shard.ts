import { ensureBackend } from '../../backend/index.js';
import { collect } from '../../eval/index.js';
import type { Shard } from '../../infer/index.js';
import type { RunConfig } from '../../train/index.js';
import { collectOptionsOf } from './evaluate-run.js';
import { checkRequests, openMethods } from './methods.js';
import { type EvaluateRunOptions, settingsOf } from './options.js';
import { openRunFolds } from './run-folds.js';

/**
 * Computes the answers for one shard of the images and caches them below the run's folder. Once all shards are done, on any
 * machines, {@link evaluateRun} writes the report from the cached answers.
 *
 * @returns the number of images in the shard.
 */
export async function answerShard(config: RunConfig, options: EvaluateRunOptions, shard: Shard): Promise<number> {
  await ensureBackend();
  const settings = settingsOf(options);
  const { onProgress } = settings;
  const requests = await checkRequests(settings.methods);
  const runFolds = await openRunFolds(config, settings);
  const methods = await openMethods(runFolds, { config, ablation: settings.tables.includes(2), requests, ...settings });
  const collectOptions = { ...collectOptionsOf(config, settings), shard, ...(onProgress && { onProgress }) };
  try {
    const [first] = runFolds;
    const [own] = methods.ours;
    // Calibration uses these answers too.
    if (settings.calibrate !== undefined && first !== undefined && own !== undefined)
      await collect([{ dataset: first.data.val, methods: [own] }], { ...collectOptions, trust: false, wordings: () => [] });
    return (await collect(methods.splits, collectOptions)).places.length;
  } finally {
    for (const method of new Set(methods.splits.flatMap((split) => [...split.methods]))) await method.dispose();
  }
}
