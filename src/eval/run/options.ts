import type { PresenceThreshold } from '../../io/index.js';
import type { TrivialGuess } from '../baseline.js';
import type { Wordings } from '../robustness/wordings.js';
import type { Comparison } from '../summary/comparison.js';
import type { MethodSummary } from '../tables/score-table.js';
import type { Collected } from './collect.js';
import type { OpenMethods } from './methods.js';
import type { RunPart, SplitName } from './run-parts.js';

/** Tables and figures of the paper that can be made. */
export const paperTables = [2, 3, 4, 5, 6] as const;
export const paperFigures = [2, 3] as const;
export type PaperTable = (typeof paperTables)[number];
export type PaperFigure = (typeof paperFigures)[number];

/** What is evaluated, and on what. */
export interface EvaluateRunOptions {
  readonly split: SplitName;
  /** An adapter to judge instead of the run's own models. */
  readonly adapter?: string | undefined;
  /** Phrases to ask instead of the datasets' own. */
  readonly prompt?: readonly string[] | undefined;
  /** Folders of masks of other methods, as `DIR` or `NAME=DIR`. */
  readonly predictions: readonly string[];
  readonly tables: readonly PaperTable[];
  readonly figures: readonly PaperFigure[];
  readonly wordings?: Wordings | undefined;
  readonly negatives: readonly string[];
  /** False-alarm rate for which to take a threshold from the validation part. */
  readonly calibrate?: number | undefined;
  readonly trust: boolean;
  readonly medsam?: string | undefined;
  /** Distance within which borders agree. Default: 1 mm, or 2 pixels. */
  readonly tolerance?: { readonly mm: number; readonly px: number };
  /** What computes, for the table of runtimes. */
  readonly backend: string;
  /** Told how far the evaluation is. */
  readonly onProgress?: (stage: Stage, done: number, total: number) => void;
}

/** What an evaluation is at. */
export type Stage = 'reading' | 'images' | 'calibration' | 'gallery';

/** What an evaluation found. */
export interface EvaluateRunResult {
  readonly summaries: readonly MethodSummary[];
  readonly comparisons: readonly Comparison[];
  readonly trivial: TrivialGuess;
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

/** Distances within which borders agree, where the caller does not say. */
export const TOLERANCE = { mm: 1, px: 2 };
