import type { Precision } from '../../backend/index.js';
import type { Split } from '../../data/index.js';
import type {
  Collected,
  Comparison,
  ConstantMask,
  ExemplarOptions,
  MethodSummary,
  PointWay,
  Wordings,
} from '../../eval/index.js';
import type { PresenceThreshold } from '../../infer/index.js';
import type { MethodRequest, OpenMethods } from './methods.js';
import type { RunFold } from './run-folds.js';

/** Supported tables and figures of the paper. */
export const paperTables = [2, 3, 4, 5, 6] as const;
export const paperFigures = [2, 3] as const;
type PaperTable = (typeof paperTables)[number];
export type PaperFigure = (typeof paperFigures)[number];

/** Selects models, data and outputs of an evaluation. */
export interface EvaluateRunOptions {
  /** The split to evaluate. Default: `test`. */
  readonly split?: Split | undefined;
  /** An adapter to evaluate. Default: the run's own models. */
  readonly adapter?: string | undefined;
  /** Of our own detector and masker; other methods run in float32. Default: `float32`. */
  readonly precision?: Precision | undefined;
  /** Phrases to prompt for. Default: the datasets' own. */
  readonly prompt?: readonly string[] | undefined;
  /** Folders of masks of other methods, as `DIR` or `NAME=DIR`. Default: none. */
  readonly predictions?: readonly string[] | undefined;
  /** Methods of the comparison to evaluate too. Default: none. */
  readonly methods?: readonly MethodRequest[] | undefined;
  /** Exemplars for methods that take them, for each structure. Default: 16 with seed 0. */
  readonly support?: ExemplarOptions | undefined;
  /** Ways to draw points from the ground truth, for methods that take them, a row each. Default: the middle pixel of the mask. */
  readonly points?: readonly PointWay[] | undefined;
  /** Tables of the paper to make. Default: none. */
  readonly tables?: readonly PaperTable[] | undefined;
  /** Figures of the paper to make. Default: none. */
  readonly figures?: readonly PaperFigure[] | undefined;
  /** Alternative wordings to evaluate. Default: none. */
  readonly wordings?: Wordings | undefined;
  /** Structures that no image shows; each is prompted separately. Default: none. */
  readonly negatives?: readonly string[] | undefined;
  /** False positive rate for which to choose a threshold on the validation split. Default: no calibration. */
  readonly calibrate?: number | undefined;
  /** Whether to predict the quality of each mask from mirrored images too. Default: false. */
  readonly trust?: boolean | undefined;
  /** Folder of a MedSAM model for table 2. Default: its row stays empty. */
  readonly medsam?: string | undefined;
  /** Boundary distance tolerance. Default: 1 mm, or 2 pixels. */
  readonly tolerance?: { readonly mm: number; readonly px: number } | undefined;
  /** Name of the hardware in the table of runtimes. Default: the active backend. */
  readonly backend?: string | undefined;
  /** Progress callback. Default: none. */
  readonly onProgress?: ((stage: Stage, done: number, total: number) => void) | undefined;
}

type WithDefault =
  | 'split'
  | 'predictions'
  | 'methods'
  | 'support'
  | 'points'
  | 'tables'
  | 'figures'
  | 'negatives'
  | 'trust'
  | 'tolerance';

/** The options with defaults filled in. */
export type EvaluationSettings = Omit<EvaluateRunOptions, WithDefault> & {
  readonly [Key in WithDefault]: NonNullable<EvaluateRunOptions[Key]>;
};

/** Fills in defaults. */
export function settingsOf(options: EvaluateRunOptions): EvaluationSettings {
  return {
    ...options,
    split: options.split ?? 'test',
    predictions: options.predictions ?? [],
    methods: options.methods ?? [],
    support: options.support ?? { count: 16, seed: 0 },
    points: options.points ?? [{ way: 'fixed' }],
    tables: options.tables ?? [],
    figures: options.figures ?? [],
    negatives: options.negatives ?? [],
    trust: options.trust ?? false,
    tolerance: options.tolerance ?? { mm: 1, px: 2 },
  };
}

/** Stage of an evaluation. */
export type Stage = 'reading' | 'images' | 'calibration' | 'timing' | 'gallery';

/** Result of an evaluation. */
export interface EvaluateRunResult {
  readonly summaries: readonly MethodSummary[];
  readonly comparisons: readonly Comparison[];
  readonly constantMask: ConstantMask;
  readonly warnings: readonly string[];
  readonly calibration?: WrittenCalibration;
  readonly files: readonly string[];
}

/** A calibration for all phrases, and its file. */
export interface WrittenCalibration extends PresenceThreshold {
  readonly file: string;
}

/** Inputs of a report. */
export interface Material {
  readonly runFolds: readonly RunFold[];
  readonly methods: OpenMethods;
  readonly collected: Collected;
  readonly calibration: WrittenCalibration | undefined;
}
