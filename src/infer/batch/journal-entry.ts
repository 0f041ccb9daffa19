import type { FoundInImage } from './coco-result.js';
import type { VerdictOnImage } from './verdicts.js';

/** Record of a finished image. */
export interface JournalEntry {
  readonly id: string;
  readonly fileName?: string | undefined;
  /** For one of several images of a file read from a source: the id of the file, and how many it holds. */
  readonly of?: { readonly id: string; readonly count: number } | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly key: string;
  readonly settings: string;
  readonly masks: number;
  readonly results: readonly FoundInImage[];
  readonly verdicts?: readonly VerdictOnImage[] | undefined;
}
