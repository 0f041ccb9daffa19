import type { Split } from '../coco.js';
import type { Dataset } from '../types.js';

/** A split of a dataset that is looked at. Here and in `audit.json` its name stands under `part`. */
export interface AuditSplit {
  readonly dataset: string;
  readonly part: Split;
  readonly data: Dataset;
  /** The dataset's folder, which file names are told from. */
  readonly root?: string | undefined;
}

/** `error`: it must not be trained on like this. `warning`: it should be looked at. */
export type Level = 'error' | 'warning';

/** Something wrong with one picture or file. */
export interface Problem {
  readonly level: Level;
  readonly dataset: string;
  readonly part: Split;
  /** Below the dataset's folder. */
  readonly file: string;
  readonly what: string;
}

/** What is remembered of a picture: nothing that shows it. */
export interface Inspection {
  readonly width: number;
  readonly height: number;
  /** Phrase of each object. */
  readonly labels: readonly string[];
  readonly exact?: string | undefined;
  readonly signs?: string | undefined;
  readonly problems: readonly { readonly level: Level; readonly what: string }[];
}

/** A picture of a split. Those that cannot be read have no size and no fingerprint. */
export interface ImageRecord extends Partial<Pick<Inspection, 'width' | 'height' | 'exact' | 'signs'>> {
  readonly dataset: string;
  readonly part: Split;
  readonly index: number;
  /** Below the dataset's folder. */
  readonly file: string;
  readonly group?: string | undefined;
  readonly labels: readonly string[];
}

/** A picture by its place. */
export type ImageLocation = Pick<ImageRecord, 'dataset' | 'part' | 'index' | 'file'>;

/** The same picture in two places. */
export interface Twins {
  /** An error where one could be learnt and the other tested. */
  readonly level: Level;
  /** `exact`: the same pixels. `alike`: mirrored, coded anew, brighter, resized. */
  readonly kind: 'exact' | 'alike';
  /** Signs that differ, of 255. */
  readonly distance: number;
  readonly mirrored: 'no' | 'left-right' | 'up-down' | 'both';
  readonly a: ImageLocation;
  readonly b: ImageLocation;
}

/** A patient, volume or source image of which pictures are in more than one split. */
export interface SharedGroup {
  readonly dataset: string;
  readonly group: string;
  /** Pictures in each split. */
  readonly parts: Partial<Record<Split, number>>;
}

/** What a split holds. */
export interface SplitSummary {
  readonly images: number;
  readonly objects: number;
  /** Pictures without an object. */
  readonly negatives: number;
  /** Patients, volumes or source images, where the dataset tells. */
  readonly groups: number | null;
  /** Objects of each phrase, most frequent first. */
  readonly labels: Readonly<Record<string, { readonly objects: number; readonly images: number }>>;
  /** Pictures of each size, most frequent first. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly unreadable: number;
}

/** What the paper's Table 1 says of a dataset. */
export interface PaperCounts {
  readonly name: string;
  readonly train: number | null;
  readonly val: number | null;
  readonly test: number;
}

export interface DatasetSummary {
  readonly name: string;
  readonly parts: Partial<Record<Split, SplitSummary>>;
  readonly paper: PaperCounts | null;
}

/** All that an audit found. */
export interface AuditReport {
  readonly errors: number;
  readonly warnings: number;
  readonly images: number;
  /** Pictures that were known from an earlier audit. */
  readonly cached: number;
  readonly datasets: readonly DatasetSummary[];
  readonly problems: readonly Problem[];
  readonly groups: readonly SharedGroup[];
  readonly duplicates: readonly Twins[];
}
