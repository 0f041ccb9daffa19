import type { Cursor } from '../batch-stream.js';
import type { OptimConfig } from '../config.js';
import { EarlyStopping } from '../early-stopping.js';
import { RunningMean } from '../running-mean.js';
import type { LossReport } from '../tasks/index.js';
import type { Progress } from './checkpoint.js';

/** The position of a run as checkpoints record it, besides the length of its log. */
export type Place = Omit<Progress, 'log'>;

const START: Cursor = { pass: 0, batch: 0 };

/** Where a run is: its steps and epochs, the losses of the current epoch, and the best value so far. */
export class RunPosition {
  /** Of the current epoch. */
  readonly losses = new RunningMean();
  readonly stopping: EarlyStopping;
  private steps = 0;
  private epochs = 0;
  private inEpoch = 0;
  private at = START;

  constructor({ patience, monitorMode }: Pick<OptimConfig, 'patience' | 'monitorMode'>) {
    this.stopping = new EarlyStopping(patience, monitorMode);
  }

  /** Updates made. */
  get step(): number {
    return this.steps;
  }

  /** Completed epochs. */
  get epoch(): number {
    return this.epochs;
  }

  /** Updates made in the current epoch. */
  get taken(): number {
    return this.inEpoch;
  }

  /** The position among the batches of the current epoch. */
  get cursor(): Cursor {
    return this.at;
  }

  /**
   * Counts an update.
   *
   * @param next - the position after its batches.
   */
  addStep(report: LossReport, next: Cursor): void {
    this.losses.add(report);
    this.steps += 1;
    this.inEpoch += 1;
    this.at = next;
  }

  /** Counts the current epoch as completed. */
  endEpoch(): void {
    this.epochs += 1;
    this.inEpoch = 0;
    this.at = START;
    this.losses.reset();
  }

  /** The position for {@link moveTo}. */
  place(): Place {
    const { step, epoch, taken, cursor } = this;
    return { step, epoch, taken, cursor, losses: this.losses.state(), stopping: this.stopping.state() };
  }

  moveTo({ step, epoch, taken, cursor, losses, stopping }: Place): void {
    this.stopping.restore(stopping);
    this.losses.restore(losses);
    [this.steps, this.epochs, this.inEpoch, this.at] = [step, epoch, taken, cursor];
  }
}
