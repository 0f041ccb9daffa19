import type { Doubt } from './clean-pixels.js';
import type { RemovedAttributes } from './job.js';

/** A written file in `report.json`. Nothing of the source is in it: no name, no path, no text. */
export interface FileEntry {
  readonly output: string;
  readonly kind: 'dicom' | 'image';
  readonly frames: number;
  readonly framesSearched: number;
  readonly region: { readonly source: 'header' | 'motion' | 'texture'; readonly share: number };
  readonly text: readonly { readonly box: readonly [number, number, number, number]; readonly uncertain: boolean }[];
  /** What a person should look at; while there is any, BurnedInAnnotation is not stated. */
  readonly doubts: readonly Doubt[];
  readonly removed?: RemovedAttributes;
}
