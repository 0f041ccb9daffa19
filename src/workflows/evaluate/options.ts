import type { Collected, Comparison, ConstantMask, MethodSummary, Wordings } from '../../eval/index.js';
import type { PresenceThreshold } from '../../infer/index.js';
import type { OpenMethods } from './methods.js';
import type { RunPart, SplitName } from './run-parts.js';

/** Tables and figures of the paper that can be made. */
export const paperTables = [2, 3, 4, 5, 6] as const;
export const paperFigures = [2, 3] as const;
type PaperTable = (typeof paperTables)[number];
export type PaperFigure = (typeof paperFigures)[number];

/** What is evaluated, and on what. */
export interface EvaluateRunOptions {
  /** The part of the data that is judged. Default: `test`. */
  readonly split?: SplitName | undefined;
  /** An adapter to judge. Default: the run's own models. */
  readonly adapter?: string | undefined;
  /** Phrases to ask. Default: the datasets' own. */
  readonly prompt?: readonly string[] | undefined;
  /** Folders of masks of other methods, as `DIR` or `NAME=DIR`. Default: none. */
  readonly predictions?: readonly string[] | undefined;
  /** Tables of the paper to make. Default: none. */
  readonly tables?: readonly PaperTable[] | undefined;
  /** Figures of the paper to make. Default: none. */
  readonly figures?: readonly PaperFigure[] | undefined;
  /** Other wordings to try. Default: none. */
  readonly wordings?: Wordings | undefined;
  /** Things that no image shows; each is asked alone. Default: none. */
  readonly negatives?: readonly string[] | undefined;
  /** False-alarm rate for which to take a threshold from the validation part. Default: none is taken. */
  readonly calibrate?: number | undefined;
  /** Whether mirrored images are looked at too, to predict the quality of each mask. Default: false. */
  readonly trust?: boolean | undefined;
  /** Folder of a MedSAM for table 2. Default: that row stays empty. */
  readonly medsam?: string | undefined;
  /** Distance within which borders agree. Default: 1 mm, or 2 pixels. */
  readonly tolerance?: { readonly mm: number; readonly px: number } | undefined;
  /** What computes, as the table of runtimes calls it. Default: the backend that runs. */
  readonly backend?: string | undefined;
  /** Told how far the evaluation is. Default: nobody is. */
  readonly onProgress?: ((stage: Stage, done: number, total: number) => void) | undefined;
}

type WithDefault = 'split' | 'predictions' | 'tables' | 'figures' | 'negatives' | 'trust' | 'tolerance';

/** The same with defaults filled in. */
export type EvaluationSettings = Omit<EvaluateRunOptions, WithDefault> & {
  readonly [Key in WithDefault]: NonNullable<EvaluateRunOptions[Key]>;
};

/** Fills in defaults. */
export function settingsOf(options: EvaluateRunOptions): EvaluationSettings {
  return {
    ...options,
    split: options.split ?? 'test',
    predictions: options.predictions ?? [],
    tables: options.tables ?? [],
    figures: options.figures ?? [],
    negatives: options.negatives ?? [],
    trust: options.trust ?? false,
    tolerance: options.tolerance ?? { mm: 1, px: 2 },
  };
}

/** What an evaluation is at. */
export type Stage = 'reading' | 'images' | 'calibration' | 'gallery';

/** What an evaluation found. */
export interface EvaluateRunResult {
  readonly summaries: readonly MethodSummary[];
  readonly comparisons: readonly Comparison[];
  readonly constantMask: ConstantMask;
  readonly warnings: readonly string[];
  readonly calibration?: WrittenCalibration;
  readonly files: readonly string[];
}

/** A calibration for all phrases, and where it was put. */
export interface WrittenCalibration extends PresenceThreshold {
  readonly file: string;
}

/** What a report is made of. */
export interface Material {
  readonly runParts: readonly RunPart[];
  readonly methods: OpenMethods;
  readonly collected: Collected;
  readonly calibration: WrittenCalibration | undefined;
}
