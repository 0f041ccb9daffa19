import { auditForTraining } from '../data/index.js';
import { exemplarModel, resolveModel } from '../pretrained/index.js';
import { ConfigError, type Logger, silentLogger } from '../util/index.js';
import type { AnswerScores } from './answer-scores.js';
import type { RunConfig } from './config.js';
import type { OpenedSplits } from './data-recipe.js';
import { scoreAsked } from './monitor.js';
import { openTask } from './open-task.js';
import { preflight, samplesWithObjects } from './preflight.js';
import { onRoot, type Ranks, requireEnoughImages } from './ranks/index.js';
import { train } from './trainer.js';
import type { TrainProgress, TrainResult } from './trainer-options.js';

/** Options to start and watch a run. */
export interface RunOptions {
  readonly resume?: boolean;
  /** Resume although the data, or the model that the run started from, have changed. Default: false. */
  readonly allowChangedData?: boolean;
  /** The processes that share each batch; they log, write and validate through rank 0. Default: this process alone. */
  readonly ranks?: Ranks | undefined;
  /** Ends training after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  /** Called after each step. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Trains on the given data according to the configuration; the best weights are written to `best/` in the run folder. */
export async function runTraining(config: RunConfig, data: OpenedSplits, options: RunOptions = {}): Promise<TrainResult> {
  for (const split of ['train', 'val'] as const) {
    if (data[split].size === 0) {
      const fix = 'Give data.split a larger share for it, or use more images';
      throw new ConfigError({
        code: 'E_SPLIT_EMPTY',
        where: `data ${data[split].name}`,
        what: `its split ${split} has no image`,
        fix,
      });
    }
  }
  refuseOwnAdapter(config);
  checkClips(config);
  const { ranks, logger = silentLogger } = options;
  requireEnoughImages(config.train.batchSize, ranks);
  await onRoot(ranks, () => auditForTraining(data, { allowOverlap: config.data.allowOverlap, logger }));
  const capture = isLong(config.train, data.train.size);
  await samplesWithObjects(data.train, 1); // negatives alone teach the model to find nothing
  const { task, loadScores } = await openTask(config, data, capture, logger);
  let scores: AnswerScores | undefined;
  try {
    scores = await loadScores();
    if (config.lora !== undefined && config.train.preflight)
      await onRoot(ranks, () => preflight(task, data.train, config.run.seed, logger));
    const base = config.model[config.task === 'memory' ? 'masker' : config.task] ?? exemplarModel;
    return await train({
      task,
      models: { [base]: await resolveModel(base) },
      train: data.train,
      val: data.val,
      config: config.train,
      seed: config.run.seed,
      dir: config.run.dir,
      scores,
      settings: config,
      capture,
      ...(data.recipe && { recipe: data.recipe }),
      ...options,
    });
  } finally {
    scores?.dispose();
    task.dispose();
  }
}

/** An adapter belongs to the other model, not to the one being trained. */
function refuseOwnAdapter({ task, model }: RunConfig): void {
  if (task === 'universeg') return;
  const key = task === 'detector' ? 'adapter' : 'maskerAdapter';
  if (model[key] === undefined) return;
  const what = `the ${task} is what is trained, and training starts from a model without adapters`;
  const fix = `Remove it, or export the model with its adapter and name that folder as model.${task}`;
  throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: `model.${key}`, what, fix });
}

/** @throws ConfigError when a task is given clips that takes images, or the other way round. */
function checkClips({ task, data: { clips }, train: { augment, monitor } }: RunConfig): void {
  const conflict = (where: string, what: string, fix: string) => new ConfigError({ code: 'E_CONFIG_CONFLICT', where, what, fix });
  if (task !== 'memory') {
    if (clips === undefined) return;
    throw conflict('data.clips', `a ${task} is trained on single images`, 'Remove it, or set task: memory');
  }
  if (clips === undefined) throw conflict('data.clips', 'a memory is trained on clips', 'Set data.clips.frames, as in 8');
  if (augment !== 'none' && augment !== 'ultrasound')
    throw conflict(
      'train.augment',
      'the frames of a clip are augmented alike, by ultrasound alone',
      'Set it to ultrasound or none',
    );
  if (scoreAsked(monitor) !== undefined)
    throw conflict('train.monitor', `a memory has no ${monitor}`, 'Choose val.loss or a part of the loss, such as val.overlap');
}

/** Number of steps from which graphs pay off: tracing takes some seconds per prompt length. */
const LONG = 150;

/** Whether enough steps are planned for graphs to pay off. A resumed run decides alike, so that it computes the same values. */
function isLong({ epochs, stepsPerEpoch, batchSize, accumulate }: RunConfig['train'], images: number): boolean {
  return epochs * (stepsPerEpoch ?? Math.ceil(images / (batchSize * accumulate))) >= LONG;
}
