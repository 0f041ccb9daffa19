import type { RasterImage } from '../imaging/index.js';
import type { PixelPlan } from './clean-pixels.js';
import type { ConfidentialityProfile } from './profile.js';
import type { Pseudonyms } from './pseudonyms.js';

/** A box to blank, in pixels; last column and row inclusive. */
export type BlankBox = readonly [x0: number, y0: number, x1: number, y1: number];

/** One file to de-identify. */
export interface FileJob {
  /** Its path, for messages. */
  readonly source: string;
  /** The folder of all outputs, and the new name without ending. */
  readonly to: string;
  readonly name: string;
  /** The new name of the folder that it lies in. */
  readonly folder: string;
  readonly pseudonyms: Pseudonyms;
  readonly profile: ConfidentialityProfile;
  readonly dates: 'remove' | 'shift';
  readonly blank: readonly BlankBox[];
}

/** A written output, with what the report shows of it. */
export interface WrittenFile {
  /** Relative to the folder of the outputs, with slashes. */
  readonly path: string;
  readonly kind: 'dicom' | 'image';
  readonly frames: number;
  /** Number of frames that were searched for text. */
  readonly looked: number;
  readonly plan: PixelPlan;
  readonly before: RasterImage;
  readonly after: RasterImage;
  /** Attributes of a DICOM file that were removed or replaced; tags only. */
  readonly removed?: RemovedAttributes;
}

/** Attributes without their values. */
export interface RemovedAttributes {
  /** Tags of the standard. */
  readonly attributes: readonly string[];
  /** How many of them the profile protects. */
  readonly ofProfile: number;
  readonly privateCount: number;
}
