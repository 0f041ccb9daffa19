import { join } from 'node:path';
import { stringify } from 'yaml';
import { BatchLoader, type Dataset } from '../data/index.js';
import { type Logger, silentLogger, writeFileAtomic } from '../util/index.js';
import type { AnswerScores } from './answer-scores.js';
import { type Cursor, stepsOf } from './batch-stream.js';
import { type Checkpoint, type MadeWith, type Progress, writeCheckpoint } from './checkpoint.js';
import type { OptimConfig } from './config.js';
import type { DataRecipe } from './data-recipe.js';
import {
  assertSameData,
  changesSince,
  type DataRecord,
  dataRecordFile,
  digestOf,
  readDataRecord,
  recordData,
} from './data-record.js';
import { EarlyStopping } from './early-stopping.js';
import { assertSameRun, type Settings, stepSettings } from './fingerprint.js';
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
import { RunFolder, withRunLock } from './run-folder.js';
import { RunningMean } from './running-mean.js';
import { defaultThreads, SampleThreads } from './sample-threads.js';
import { type StepOptions, takeStep } from './step.js';
import type { LossReport, TrainTask } from './task.js';
import { TrainLog } from './train-log.js';
import { restoreArrays, type TrainingArrays, trainable, withArrays } from './training-state.js';
import { TrainingStopped } from './training-stopped.js';
import { validate } from './validation.js';
import { otherVersions, stepVersions, versions } from './versions.js';

/** Progress of a run, for a progress bar. */
export interface TrainProgress {
  readonly step: number;
  readonly totalSteps: number;
  /** Mean over the epoch so far. */
  readonly loss: number;
  readonly learningRate: number;
}

export interface TrainerOptions {
  readonly task: TrainTask;
  readonly train: Dataset;
  readonly val: Dataset;
  readonly config: OptimConfig;
  readonly seed: number;
  readonly dir: string;
  /**
   * Evaluates the model's predictions after each epoch, besides its losses. Stays the caller's. Default: only losses are
   * computed.
   */
  readonly scores?: AnswerScores | undefined;
  /** Resume from the folder's newest intact checkpoint. */
  readonly resume?: boolean;
  /** Resume although the data differ from those of the checkpoint, with a warning. Default: false. */
  readonly allowChangedData?: boolean;
  /** Folders or files of the models that training starts from, by name; hashed as part of the run's data. Default: none. */
  readonly models?: Readonly<Record<string, string>>;
  /** Lets other threads open the training data. Absent: no threads. */
  readonly recipe?: DataRecipe;
  /** All settings of the run, saved with it and compared on resume. Default: `config` and `seed`. */
  readonly settings?: Settings;
  /** Whether the run is long enough to compile updates to graphs. Default: false. */
  readonly capture?: boolean;
  /**
   * The processes that share each batch; all call {@link train} with equal options. Only rank 0 uses the run folder, logs and
   * reports progress. Default: this process alone.
   */
  readonly ranks?: Ranks | undefined;
  /** Ends training after the current step, with a checkpoint and a {@link TrainingStopped}. With `ranks`, on any of them. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** The position of a run, besides its arrays and its log. */
type Place = Omit<Progress, 'log'>;

/** Result of training. */
export interface TrainResult {
  readonly steps: number;
  readonly epochs: number;
  /** `train.monitor`: the metric that selects the best weights. */
  readonly monitor: string;
  /** Its value for the best weights. */
  readonly bestValue: number;
  readonly stoppedEarly: boolean;
  /** Folder of the best weights. */
  readonly bestDir: string;
}

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

class Trainer {
  private readonly options: TrainerOptions;
  private readonly ranks: Ranks | undefined;
  private readonly logger: Logger;
  private readonly settings: Settings;
  private readonly folder: RunFolder;
  private readonly threads: SampleThreads | undefined;
  private readonly loader: BatchLoader;
  private readonly arrays: TrainingArrays;
  private readonly stopping: EarlyStopping;
  private readonly losses = new RunningMean();
  private readonly stepsPerEpoch: number;
  private readonly stepOptions: StepOptions;
  private log: TrainLog | undefined;
  private made: MadeWith;
  private step = 0;
  private epoch = 0;
  private taken = 0;
  private cursor: Cursor = { pass: 0, batch: 0 };

  constructor(options: TrainerOptions) {
    const { task, config, train, seed, dir, recipe, capture = false, ranks, logger = silentLogger } = options;
    this.options = options;
    this.ranks = ranks;
    this.logger = ranks?.isRoot === false ? silentLogger : logger;
    this.settings = options.settings ?? { train: config, run: { seed } };
    this.made = { settings: stepSettings(this.settings) };
    this.folder = new RunFolder(dir);
    const parameters = trainable(task);
    const groups = groupParameters(parameters, config.groups, config.learningRate);
    this.arrays = {
      parameters,
      optimiser: new AdamW(groups, { weightDecay: config.weightDecay, capture }),
      ema: config.ema > 0 ? new Ema(parameters, config.ema, capture) : undefined,
    };
    this.threads = SampleThreads.start(recipe, config.workers ?? defaultThreads(ranks?.localSize));
    const { batchSize, augment, accumulate } = config;
    const source = {
      ...(this.threads && { source: this.threads.source }),
      ...(ranks && { part: { index: ranks.rank, of: ranks.size } }),
    };
    this.loader = new BatchLoader(train, { batchSize, shuffle: true, seed, augment, ...source });
    this.stopping = new EarlyStopping(config.patience, config.monitorMode);
    this.stepsPerEpoch = config.stepsPerEpoch ?? Math.ceil(this.loader.batchesPerEpoch / accumulate);
    const totalSteps = this.stepsPerEpoch * config.epochs;
    this.stepOptions = { task, config, seed, ranks, ...this.arrays, norm: new GlobalNorm(capture), totalSteps };
  }

  async open(): Promise<void> {
    const { train, val, models } = this.options;
    const data = await recordData({ train, val }, models);
    const current = await versions();
    const { ranks, settings } = this;
    const software = stepVersions(current);
    this.made = { ...this.made, data: digestOf(data), versions: { ...software, ...(ranks && { ranks: String(ranks.size) }) } };
    if (ranks !== undefined) {
      const parameters = this.arrays.parameters.map(([path, { shape }]) => `${path} [${shape}]`);
      await assertSameStart(ranks, { settings, data, versions: software, parameters });
    }
    this.moveTo(await onRoot(ranks, () => this.openFolder(data, current)));
    if (ranks !== undefined) await shareArrays(ranks, this.arrays, this.step);
  }

  /** Opens the run folder, and restores the arrays of the checkpoint to resume from. */
  private async openFolder(data: DataRecord, current: Readonly<Record<string, unknown>>): Promise<Place> {
    const { dir, resume = false } = this.options;
    await this.folder.open();
    const last = resume ? await this.folder.newestCheckpoint(({ message }) => this.logger.warn(message)) : undefined;
    if (last !== undefined) await this.restore(last, data);
    else if (resume) this.logger.info(`there is no checkpoint in ${dir} yet: training starts from the beginning`);
    else {
      const place = await this.folder.setAside();
      if (place !== undefined) this.logger.info(`files of an earlier run were moved from ${dir} to ${place}`);
    }
    this.log = await TrainLog.open(dir, last?.progress.log);
    await writeFileAtomic(join(dir, 'config.yaml'), stringify(this.settings));
    await writeFileAtomic(join(dir, 'versions.json'), `${JSON.stringify(current, null, 2)}\n`);
    // The record describes the data of the next checkpoint.
    if ((await readDataRecord(dir, digestOf(data))) === undefined)
      await writeFileAtomic(join(dir, dataRecordFile), `${JSON.stringify(data, null, 1)}\n`);
    return last?.progress ?? this.place();
  }

  async toTheEnd(): Promise<TrainResult> {
    const { config } = this.options;
    while (this.epoch < config.epochs && !this.stopping.shouldStop) {
      this.stopIf(await this.stopAsked());
      await this.oneEpoch();
    }
    return {
      steps: this.step,
      epochs: this.epoch,
      monitor: config.monitor,
      bestValue: this.stopping.bestValue,
      stoppedEarly: this.epoch < config.epochs,
      bestDir: this.folder.bestDir,
    };
  }

  private async oneEpoch(): Promise<void> {
    await this.trainSteps();
    const train = this.losses.value;
    const { improved, val } = await this.withAveragedWeights(() => this.judge(train)).catch(async (error) => {
      // Validation was interrupted and is repeated after resuming.
      if (error instanceof TrainingStopped) await this.checkpoint();
      throw error;
    });
    this.epoch += 1;
    this.taken = 0;
    this.cursor = { pass: 0, batch: 0 };
    this.losses.reset();
    await this.log?.write('epoch', this.step, { epoch: this.epoch, train: train.total, val: val.total, ...val.terms, improved });
    await this.checkpoint();
  }

  private async trainSteps(): Promise<void> {
    const { config, onProgress } = this.options;
    if (this.taken >= this.stepsPerEpoch) return;
    for await (const { batches, next } of stepsOf(this.loader, this.epoch, this.cursor, config.accumulate)) {
      const { total, terms, learningRate, norm } = await takeStep(batches, this.step, this.stepOptions);
      this.losses.add({ total, terms });
      this.step += 1;
      this.taken += 1;
      this.cursor = next;
      await this.log?.write('step', this.step, { learningRate, norm, total, ...terms });
      if (this.ranks?.isRoot !== false)
        onProgress?.({ step: this.step, totalSteps: this.stepOptions.totalSteps, loss: this.losses.value.total, learningRate });
      const due = config.checkpointEvery > 0 && this.step % config.checkpointEvery === 0;
      const stop = await this.stopAsked();
      if (due || stop) await this.checkpoint();
      this.stopIf(stop);
      if (this.taken >= this.stepsPerEpoch) break;
    }
  }

  /** Validates, and saves the weights if they are the best so far. */
  private async judge(train: LossReport): Promise<{ val: LossReport; improved: boolean }> {
    const val = await validate(this.options, this.step);
    if (val === undefined) throw this.stopped();
    const improved = this.stopping.update(monitored(this.options.config.monitor, { train, val }));
    if (improved) await onRoot(this.ranks, () => this.folder.replaceBest((dir) => this.options.task.save(dir)));
    const parts = Object.entries(val.terms).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    this.logger.info(
      `epoch ${this.epoch + 1}/${this.options.config.epochs}  train ${train.total.toFixed(3)}  val ${val.total.toFixed(3)} (${parts.join(', ')})${improved ? '  best' : ''}`,
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
    await onRoot(this.ranks, () => this.writeCheckpoint());
  }

  /** Flushes the log before writing the checkpoint that records its length. */
  private async writeCheckpoint(): Promise<void> {
    const log = (await this.log?.sync()) ?? { lines: 0, events: 0 };
    const progress = { ...this.place(), log };
    await withArrays(this.arrays, (arrays) =>
      writeCheckpoint(this.folder.checkpointFile(this.step), arrays, progress, this.made),
    );
    await this.folder.prune(this.options.config.keepLast, this.step);
  }

  /** Continues on all ranks from the arrays that a resumed run would start from. */
  private async keepTogether(ranks: Ranks): Promise<void> {
    if (await haveSameArrays(ranks, this.arrays)) return;
    this.logger.warn(
      `step ${this.step}: the ranks' weights differ in their last digits, as on different processors; rank 0's are used`,
    );
    await shareArrays(ranks, this.arrays, this.step);
  }

  private async restore({ file, tensors, progress, made }: Checkpoint, data: DataRecord): Promise<void> {
    try {
      assertSameRun(file, made.settings, this.settings);
      await this.compare(file, made, data);
      restoreArrays(this.arrays, tensors, progress.step, file);
    } finally {
      for (const tensor of tensors.values()) tensor.dispose();
    }
    this.logger.info(`resumed at epoch ${progress.epoch + 1}, step ${progress.step}, from ${file}`);
  }

  private place(): Place {
    const { step, epoch, taken, cursor } = this;
    return { step, epoch, taken, cursor, losses: this.losses.state(), stopping: this.stopping.state() };
  }

  private moveTo({ step, epoch, taken, cursor, losses, stopping }: Place): void {
    this.stopping.restore(stopping);
    this.losses.restore(losses);
    [this.step, this.epoch, this.taken, this.cursor] = [step, epoch, taken, cursor];
  }

  /** Rejects changed data unless allowed; warns about other versions. */
  private async compare(file: string, before: MadeWith, data: DataRecord): Promise<void> {
    const { dir, allowChangedData = false } = this.options;
    if (before.data === undefined || before.versions === undefined) {
      this.logger.warn(`${file}: it does not record the data and versions that it was made with, so these are not compared`);
      return;
    }
    if (!allowChangedData) await assertSameData(file, before.data, data, dir);
    const changes = await changesSince(before.data, data, dir);
    if (changes !== undefined) this.logger.warn(`${file}: the data have changed: ${changes}; allowed by --allow-changed-data`);
    const others = otherVersions({ ranks: '1', ...before.versions }, { ranks: '1', ...this.made.versions });
    if (others !== undefined) this.logger.warn(`${file}: ${others}; further steps may differ from those of an uninterrupted run`);
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
    return asAgreed(new TrainingStopped(this.options.dir, this.step));
  }

  async dispose(): Promise<void> {
    this.arrays.optimiser.dispose();
    this.arrays.ema?.dispose();
    this.stepOptions.norm.dispose();
    await this.log?.close();
    await this.threads?.dispose();
  }
}
