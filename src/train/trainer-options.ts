import type { Dataset } from '../data/index.js';
import type { Logger } from '../util/index.js';
import type { AnswerScores } from './answer-scores.js';
import type { OptimConfig } from './config.js';
import type { DataRecipe } from './data-recipe.js';
import type { Ranks } from './ranks/index.js';
import type { Settings } from './run-folder/index.js';
import type { TrainTask } from './tasks/index.js';

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
