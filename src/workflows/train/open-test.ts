import type { EvaluationSplit } from '../../eval/index.js';
import type { OpenedSplits, RunConfig, TrainResult } from '../../train/index.js';
import type { Logger } from '../../util/index.js';
import { OURS, openExemplarMethod, openModels } from '../evaluate/methods.js';
import { selectTrainedModels } from '../models-of-run.js';

type OpenTest = (
  config: RunConfig,
  data: OpenedSplits,
  bestDir: string,
  logger: Logger | undefined,
) => Promise<readonly EvaluationSplit[]>;

/** The test of each task. */
const TESTS: Readonly<Record<RunConfig['task'], OpenTest>> = {
  detector: byPrompt,
  masker: byPrompt,
  memory: byClips,
  universeg: byExemplars,
};

/** The trained model as a method with the images to test it on; none for a task that is not tested on single images. */
export function openTest(
  config: RunConfig,
  data: OpenedSplits,
  { bestDir }: TrainResult,
  logger?: Logger,
): Promise<readonly EvaluationSplit[]> {
  return TESTS[config.task](config, data, bestDir, logger);
}

async function byPrompt(config: RunConfig, { test }: OpenedSplits, bestDir: string): Promise<EvaluationSplit[]> {
  return [{ dataset: test, methods: [await openModels(config, OURS, selectTrainedModels(config, bestDir))] }];
}

async function byExemplars(config: RunConfig, { train, test }: OpenedSplits, bestDir: string, logger?: Logger) {
  const { method, support } = await openExemplarMethod(config, { train, test }, bestDir);
  for (const note of support.notes) logger?.warn(note);
  return [{ dataset: support.evaluated, methods: [method] }];
}

/** A memory is not for single images. */
async function byClips(_config: RunConfig, _data: OpenedSplits, _bestDir: string, logger?: Logger) {
  logger?.info('clips are evaluated by eval --clips, with the best weights as --masker');
  return [];
}
