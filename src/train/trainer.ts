import { BatchLoader } from '../data/index.js';
import { type Logger, silentLogger } from '../util/index.js';
import { stepsOf } from './batch-stream.js';
import { monitored } from './monitor.js';
import { AdamW, Ema, GlobalNorm, groupParameters } from './optim/index.js';
import {
  asAgreed,
  assertSameStart,
  haveSameArrays,
  onRoot,
  type Ranks,
  requireEnoughImages,
  shareArrays,
} from './ranks/index.js';
import type { Settings } from './run-folder/index.js';
import {
  RunFiles,
  RunPosition,
  recordData,
  stepVersions,
  type TrainingArrays,
  trainable,
  versions,
  withRunLock,
} from './run-folder/index.js';
import { defaultThreads, SampleThreads } from './sample-threads.js';
import { type StepOptions, takeStep } from './step.js';
import type { LossReport } from './tasks/index.js';
import type { TrainerOptions, TrainResult } from './trainer-options.js';
import { TrainingStopped } from './training-stopped.js';
import { validate } from './validation.js';

/**
 * Trains until the schedule ends or the monitored value stops improving. After each epoch it validates, writes the weights for
 * inference if they are the best so far, and writes a checkpoint to resume from; the configuration may ask for more checkpoints
 * in between.
 *
 * A run that is killed at any moment and resumed produces the same bytes as an uninterrupted one, on the CPU of one machine and by
 * the same number of ranks.
 *
 * @throws TrainingStopped when `signal` requested it; InUseError when another process trains in the folder.
 */
export async function train(options: TrainerOptions): Promise<TrainResult> {
  const { dir, ranks, config } = options;
  requireEnoughImages(config.batchSize, ranks);
  return ranks?.isRoot === false ? trainLocked(options) : withRunLock(dir, () => trainLocked(options), options.logger);
}

async function trainLocked(options: TrainerOptions): Promise<TrainResult> {
  const run = new Trainer(options);
  try {
    await run.open();
    return await run.toTheEnd();
  } finally {
    await run.dispose();
  }
}

/** Takes the steps of a run, and validates and saves after each epoch. */
class Trainer {
  private readonly options: TrainerOptions;
  private readonly ranks: Ranks | undefined;
  private readonly logger: Logger;
  private readonly settings: Settings;
  private readonly position: RunPosition;
  private readonly files: RunFiles;
  private readonly arrays: TrainingArrays;
  private readonly threads: SampleThreads | undefined;
  private readonly loader: BatchLoader;
  private readonly stepsPerEpoch: number;
  private readonly stepOptions: StepOptions;

  constructor(options: TrainerOptions) {
    const { task, config, train, seed, dir, recipe, capture = false, ranks, logger = silentLogger } = options;
    const { resume = false, allowChangedData = false } = options;
    this.options = options;
    this.ranks = ranks;
    this.logger = ranks?.isRoot === false ? silentLogger : logger;
    this.settings = options.settings ?? { train: config, run: { seed } };
    this.position = new RunPosition(config);
    const parameters = trainable(task);
    const groups = groupParameters(parameters, config.groups, config.learningRate);
    this.arrays = {
      parameters,
      optimiser: new AdamW(groups, { weightDecay: config.weightDecay, capture }),
      ema: config.ema > 0 ? new Ema(parameters, config.ema, capture) : undefined,
    };
    const { settings, arrays } = this;
    this.files = new RunFiles({ dir, resume, allowChangedData, settings, ranks: ranks?.size, arrays, logger: this.logger });
    this.threads = SampleThreads.start(recipe, config.workers ?? defaultThreads(ranks?.localSize));
    const { batchSize, augment, accumulate } = config;
    const source = {
      ...(this.threads && { source: this.threads.source }),
      ...(ranks && { part: { index: ranks.rank, of: ranks.size } }),
    };
    this.loader = new BatchLoader(train, { batchSize, shuffle: true, seed, augment, ...source });
    this.stepsPerEpoch = config.stepsPerEpoch ?? Math.ceil(this.loader.batchesPerEpoch / accumulate);
    const totalSteps = this.stepsPerEpoch * config.epochs;
    this.stepOptions = { task, config, seed, ranks, ...this.arrays, norm: new GlobalNorm(capture), totalSteps };
  }

  async open(): Promise<void> {
    const { train, val, models } = this.options;
    const data = await recordData({ train, val }, models);
    const current = await versions();
    const { ranks, settings, arrays, position } = this;
    if (ranks !== undefined) {
      const parameters = arrays.parameters.map(([path, { shape }]) => `${path} [${shape}]`);
      await assertSameStart(ranks, { settings, data, versions: stepVersions(current), parameters });
    }
    position.moveTo(await onRoot(ranks, async () => (await this.files.open(data, current)) ?? position.place()));
    if (ranks !== undefined) await shareArrays(ranks, arrays, position.step);
  }

  async toTheEnd(): Promise<TrainResult> {
    const { config } = this.options;
    const { position } = this;
    while (position.epoch < config.epochs && !position.stopping.shouldStop) {
      this.stopIf(await this.stopAsked());
      await this.oneEpoch();
    }
    return {
      steps: position.step,
      epochs: position.epoch,
      monitor: config.monitor,
      bestValue: position.stopping.bestValue,
      stoppedEarly: position.epoch < config.epochs,
      bestDir: this.files.bestDir,
    };
  }

  private async oneEpoch(): Promise<void> {
    const { position } = this;
    await this.trainSteps();
    const train = position.losses.value;
    const { improved, val } = await this.withAveragedWeights(() => this.judge(train)).catch(async (error) => {
      // Validation was interrupted and is repeated after resuming.
      if (error instanceof TrainingStopped) await this.checkpoint();
      throw error;
    });
    position.endEpoch();
    const { epoch } = position;
    await this.files.write('epoch', position.step, { epoch, train: train.total, val: val.total, ...val.terms, improved });
    await this.checkpoint();
  }

  private async trainSteps(): Promise<void> {
    const { config, onProgress } = this.options;
    const { position } = this;
    if (position.taken >= this.stepsPerEpoch) return;
    for await (const { batches, next } of stepsOf(this.loader, position.epoch, position.cursor, config.accumulate)) {
      const { total, terms, learningRate, norm } = await takeStep(batches, position.step, this.stepOptions);
      position.addStep({ total, terms }, next);
      const { step } = position;
      await this.files.write('step', step, { learningRate, norm, total, ...terms });
      if (this.ranks?.isRoot !== false)
        onProgress?.({ step, totalSteps: this.stepOptions.totalSteps, loss: position.losses.value.total, learningRate });
      const due = config.checkpointEvery > 0 && step % config.checkpointEvery === 0;
      const stop = await this.stopAsked();
      if (due || stop) await this.checkpoint();
      this.stopIf(stop);
      if (position.taken >= this.stepsPerEpoch) break;
    }
  }

  /** Validates, and saves the weights if they are the best so far. */
  private async judge(train: LossReport): Promise<{ val: LossReport; improved: boolean }> {
    const { task, config } = this.options;
    const { stopping, step, epoch } = this.position;
    const val = await validate(this.options, step);
    if (val === undefined) throw this.stopped();
    const improved = stopping.update(monitored(config.monitor, { train, val }));
    if (improved) await onRoot(this.ranks, () => this.files.replaceBest((dir) => task.save(dir)));
    const parts = Object.entries(val.terms).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    this.logger.info(
      `epoch ${epoch + 1}/${config.epochs}  train ${train.total.toFixed(3)}  val ${val.total.toFixed(3)} (${parts.join(', ')})${improved ? '  best' : ''}`,
    );
    return { val, improved };
  }

  private async withAveragedWeights<T>(body: () => Promise<T>): Promise<T> {
    this.arrays.ema?.swap();
    try {
      return await body();
    } finally {
      this.arrays.ema?.swap();
    }
  }

  private async checkpoint(): Promise<void> {
    if (this.ranks !== undefined) await this.keepTogether(this.ranks);
    await onRoot(this.ranks, () => this.files.writeCheckpoint(this.position.place(), this.options.config.keepLast));
  }

  /** Continues on all ranks from the arrays that a resumed run would start from. */
  private async keepTogether(ranks: Ranks): Promise<void> {
    const { step } = this.position;
    if (await haveSameArrays(ranks, this.arrays)) return;
    this.logger.warn(
      `step ${step}: the ranks' weights differ in their last digits, as on different processors; rank 0's are used`,
    );
    await shareArrays(ranks, this.arrays, step);
  }

  /** Whether any rank was asked to stop. */
  private async stopAsked(): Promise<boolean> {
    const own = this.options.signal?.aborted === true;
    return this.ranks === undefined ? own : (await this.ranks.gather(own)).includes(true);
  }

  private stopIf(stop: boolean): void {
    if (stop) throw this.stopped();
  }

  private stopped(): TrainingStopped {
    return asAgreed(new TrainingStopped(this.options.dir, this.position.step));
  }

  async dispose(): Promise<void> {
    this.arrays.optimiser.dispose();
    this.arrays.ema?.dispose();
    this.stepOptions.norm.dispose();
    await this.files.close();
    await this.threads?.dispose();
  }
}
