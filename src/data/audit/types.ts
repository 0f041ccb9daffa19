import type { Split } from '../coco.js';
import type { Dataset } from '../types.js';

/** A split of a dataset that is audited. */
export interface AuditSplit {
  readonly dataset: string;
  readonly split: Split;
  readonly data: Dataset;
  /** The dataset's folder; reported file names are relative to it. */
  readonly root?: string | undefined;
}

/** `error`: do not train on this data. `warning`: needs a look. */
export type Level = 'error' | 'warning';

/** A problem with one image or file. */
export interface Problem {
  readonly level: Level;
  readonly dataset: string;
  readonly split: Split;
  /** Relative to the dataset's folder. */
  readonly file: string;
  readonly what: string;
}

/** The cached findings for an image; contains no pixels. */
export interface Inspection {
  readonly width: number;
  readonly height: number;
  /** Phrase of each object. */
  readonly labels: readonly string[];
  readonly exact?: string | undefined;
  readonly signs?: string | undefined;
  readonly problems: readonly { readonly level: Level; readonly what: string }[];
}

/** An image of a split. Unreadable images have no size and no fingerprint. */
export interface ImageRecord extends Partial<Pick<Inspection, 'width' | 'height' | 'exact' | 'signs'>> {
  readonly dataset: string;
  readonly split: Split;
  readonly index: number;
  /** Relative to the dataset's folder. */
  readonly file: string;
  readonly group?: string | undefined;
  readonly labels: readonly string[];
}

/** The location of an image. */
export type ImageLocation = Pick<ImageRecord, 'dataset' | 'split' | 'index' | 'file'>;

/** The same image in two places. */
export interface Twins {
  /** An error where one could be trained on and the other tested. */
  readonly level: Level;
  /** `exact`: equal pixels. `alike`: mirrored, re-encoded, brightened or resized. */
  readonly kind: 'exact' | 'alike';
  /** Number of differing signs, of 255. */
  readonly distance: number;
  readonly mirrored: 'no' | 'left-right' | 'up-down' | 'both';
  readonly a: ImageLocation;
  readonly b: ImageLocation;
}

/** A patient, volume or source image with images in more than one split. */
export interface SharedGroup {
  readonly dataset: string;
  readonly group: string;
  /** Images in each split. */
  readonly splits: Partial<Record<Split, number>>;
}

/** Counts of a split. */
export interface SplitSummary {
  readonly images: number;
  readonly objects: number;
  /** Images without an object. */
  readonly negatives: number;
  /** Number of patients, volumes or source images, if the dataset states them. */
  readonly groups: number | null;
  /** Object counts per phrase, most frequent first. */
  readonly labels: Readonly<Record<string, { readonly objects: number; readonly images: number }>>;
  /** Image counts per size, most frequent first. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly unreadable: number;
}

/** A dataset's row of the paper's Table 1. */
export interface PaperCounts {
  readonly name: string;
  readonly train: number | null;
  readonly val: number | null;
  readonly test: number;
}

export interface DatasetSummary {
  readonly name: string;
  readonly splits: Partial<Record<Split, SplitSummary>>;
  readonly paper: PaperCounts | null;
}

/** Result of an audit. */
export interface AuditReport {
  readonly errors: number;
  readonly warnings: number;
  readonly images: number;
  /** Images found in the cache. */
  readonly cached: number;
  readonly datasets: readonly DatasetSummary[];
  readonly problems: readonly Problem[];
  readonly groups: readonly SharedGroup[];
  readonly duplicates: readonly Twins[];
}
