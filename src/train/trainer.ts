import { tf } from '../backend/index.js';
import { BatchLoader, type Dataset, type Sample } from '../data/index.js';
import type { Parameter } from '../nn/index.js';
import { type Logger, Rng, SonogroundError, silentLogger } from '../util/index.js';
import type { OptimConfig } from './config.js';
import { EarlyStopping } from './early-stopping.js';
import { AdamW, clipByGlobalNorm, Ema, learningRateAt } from './optim/index.js';
import { RunFolder } from './run-folder.js';
import { RunningMean } from './running-mean.js';
import type { LossReport, TrainTask } from './task.js';

/** Where a run stands, for a progress bar. */
export interface TrainProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
}

export interface TrainerOptions {
  readonly task: TrainTask;
  readonly train: Dataset;
  readonly val: Dataset;
  readonly config: OptimConfig;
  readonly seed: number;
  readonly dir: string;
  /** Continue from the folder's last checkpoint. */
  readonly resume?: boolean;
  readonly logger?: Logger;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export interface TrainResult {
  readonly steps: number;
  readonly epochs: number;
  readonly bestValLoss: number;
  readonly stoppedEarly: boolean;
  /** Folder of the weights with the lowest validation loss. */
  readonly bestDir: string;
}

/**
 * Trains until the schedule ends or the validation loss has stopped falling. After each epoch it validates, writes the last
 * checkpoint (to resume from) and, when it is the best, the weights that inference loads.
 */
export async function train(options: TrainerOptions): Promise<TrainResult> {
  const run = await Trainer.start(options);
  try {
    return await run.toTheEnd();
  } finally {
    run.dispose();
  }
}

class Trainer {
  private readonly options: TrainerOptions;
  private readonly logger: Logger;
  private readonly folder: RunFolder;
  private readonly loader: BatchLoader;
  private readonly optimiser: AdamW;
  private readonly ema: Ema | undefined;
  private readonly stopping: EarlyStopping;
  private readonly stepsPerEpoch: number;
  private readonly totalSteps: number;
  private step = 0;
  private epoch = 0;

  private constructor(options: TrainerOptions) {
    const { task, config, train, seed, dir, logger = silentLogger } = options;
    this.options = options;
    this.logger = logger;
    this.folder = new RunFolder(dir);
    this.loader = new BatchLoader(train, { batchSize: config.batchSize, shuffle: true, seed, augment: config.augment });
    const parameters = trainable(task);
    this.optimiser = new AdamW([{ name: 'all', parameters }], { weightDecay: config.weightDecay });
    this.ema = config.ema > 0 ? new Ema(parameters, config.ema) : undefined;
    this.stopping = new EarlyStopping(config.patience);
    this.stepsPerEpoch = config.stepsPerEpoch ?? this.loader.batchesPerEpoch;
    this.totalSteps = this.stepsPerEpoch * config.epochs;
  }

  static async start(options: TrainerOptions): Promise<Trainer> {
    const trainer = new Trainer(options);
    await trainer.folder.open();
    if (options.resume) await trainer.restore();
    return trainer;
  }

  async toTheEnd(): Promise<TrainResult> {
    const { config, task } = this.options;
    while (this.epoch < config.epochs && !this.stopping.shouldStop) {
      const trainLoss = await this.oneEpoch();
      const { improved, val } = await this.withAveragedWeights(async () => {
        const valLoss = await this.validate();
        const improved = this.stopping.update(valLoss.total);
        this.report(trainLoss, valLoss, improved);
        if (improved) await this.folder.replaceBest((dir) => task.save(dir));
        return { improved, val: valLoss.total };
      });
      this.epoch += 1;
      await this.folder.log({ event: 'epoch', epoch: this.epoch, step: this.step, train: trainLoss.total, val, improved });
      await this.checkpoint();
    }
    return {
      steps: this.step,
      epochs: this.epoch,
      bestValLoss: this.stopping.bestValue,
      stoppedEarly: this.epoch < config.epochs,
      bestDir: this.folder.bestDir,
    };
  }

  private async oneEpoch(): Promise<LossReport> {
    const mean = new RunningMean();
    let taken = 0;
    // An epoch may be shorter or longer than a pass over the data; passes are numbered on their own.
    for (let pass = 0; taken < this.stepsPerEpoch; pass++) {
      for await (const samples of this.loader.epoch(this.epoch * 1000 + pass)) {
        mean.add(await this.oneStep(samples));
        taken += 1;
        this.options.onProgress?.({ step: this.step, totalSteps: this.totalSteps, loss: mean.value.total });
        if (taken === this.stepsPerEpoch) break;
      }
    }
    return mean.value;
  }

  private async oneStep(samples: readonly Sample[]): Promise<LossReport> {
    const { task, config, seed } = this.options;
    const { gradients, total, terms } = await task.step(samples, Rng.seeded(seed, 1, this.step));
    const norm = await clipByGlobalNorm(gradients, config.clipNorm);
    if (!Number.isFinite(total) || !Number.isFinite(norm)) {
      tf.dispose([...gradients.values()]);
      throw new SonogroundError({
        where: `step ${this.step + 1}`,
        what: `the ${Number.isFinite(total) ? 'gradient' : 'loss'} is not finite, with ${samples.map(({ file, id }) => file ?? id).join(', ')}`,
        fix: 'The last checkpoint is intact. Lower train.learningRate or look at these images',
      });
    }
    const learningRate = learningRateAt(this.step, {
      schedule: config.schedule,
      peak: config.learningRate,
      warmupSteps: config.warmupSteps,
      totalSteps: this.totalSteps,
    });
    this.optimiser.step(gradients, learningRate);
    this.ema?.update();
    tf.dispose([...gradients.values()]);
    this.step += 1;
    await this.folder.log({ event: 'step', step: this.step, learningRate, norm, total, ...terms });
    return { total, terms };
  }

  private async validate(): Promise<LossReport> {
    const { val, config, seed, task } = this.options;
    const mean = new RunningMean();
    const loader = new BatchLoader(val, { batchSize: config.batchSize, shuffle: false, seed, augment: 'none' });
    for await (const samples of loader.epoch(0)) mean.add(await task.loss(samples), samples.length);
    return mean.value;
  }

  private async withAveragedWeights<T>(body: () => Promise<T>): Promise<T> {
    this.ema?.swap();
    try {
      return await body();
    } finally {
      this.ema?.swap();
    }
  }

  private report(trainLoss: LossReport, valLoss: LossReport, improved: boolean): void {
    const parts = Object.entries(valLoss.terms).map(([name, value]) => `${name} ${value.toFixed(3)}`);
    const { config } = this.options;
    this.logger.info(
      `epoch ${this.epoch + 1}/${config.epochs}  train ${trainLoss.total.toFixed(3)}  val ${valLoss.total.toFixed(3)} (${parts.join(', ')})${improved ? '  best' : ''}`,
    );
  }

  private async checkpoint(): Promise<void> {
    const weights = trainable(this.options.task).map(
      ([path, parameter]) => [`model.${path}`, parameter.value as tf.Tensor] as const,
    );
    const optimiser = [...this.optimiser.state()].map(([name, tensor]) => [`optimiser.${name}`, tensor] as const);
    const ema = [...(this.ema?.state() ?? [])].map(([name, tensor]) => [`ema.${name}`, tensor] as const);
    const counters = { step: this.step, epoch: this.epoch, stopping: this.stopping.state() };
    await this.folder.writeLast(new Map([...weights, ...optimiser, ...ema]), counters);
    tf.dispose([...optimiser, ...ema].map(([, tensor]) => tensor));
  }

  private async restore(): Promise<void> {
    const last = await this.folder.readLast();
    if (last === undefined) return;
    const under = (prefix: string) =>
      new Map(
        [...last.tensors]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
      );
    const weights = under('model.');
    for (const [path, parameter] of trainable(this.options.task)) {
      const values = weights.get(path);
      if (values === undefined)
        throw new SonogroundError({
          where: this.folder.lastFile,
          what: `it has no ${path}`,
          fix: 'It belongs to another configuration: choose another run.dir',
        });
      parameter.assign(values);
    }
    this.optimiser.restore(under('optimiser.'), last.counters.step);
    this.ema?.restore(under('ema.'), last.counters.step);
    this.stopping.restore(last.counters.stopping);
    this.step = last.counters.step;
    this.epoch = last.counters.epoch;
    tf.dispose([...last.tensors.values()]);
    this.logger.info(`resumed at epoch ${this.epoch}, step ${this.step}`);
  }

  dispose(): void {
    this.optimiser.dispose();
    this.ema?.dispose();
  }
}

/** The parameters that training changes, each under its first path. */
function trainable({ model }: TrainTask): [string, Parameter][] {
  const seen = new Set<Parameter>();
  return [...model.namedParameters()].filter(([, parameter]) => {
    const fresh = parameter.trainable && !seen.has(parameter);
    seen.add(parameter);
    return fresh;
  });
}
