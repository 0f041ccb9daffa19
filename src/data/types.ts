import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';

/** A structure in an image. */
export interface SampleObject {
  /** One of the sample's phrases. */
  readonly phrase: string;
  /** Box in pixel edges. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid. */
  readonly mask: BinaryMask;
}

/** An image, its phrases and the ground truth. */
export interface Sample {
  readonly id: string;
  readonly dataset: string;
  /** The image file, if any. */
  readonly file?: string;
  /** Shared by images that belong together (patient, volume). Absent: the image stands alone. */
  readonly group?: string;
  /** Pixel width and height in millimetres, if known. */
  readonly spacingMm?: readonly [x: number, y: number];
  readonly image: RasterImage;
  readonly objects: readonly SampleObject[];
  /** The prompt's phrases. Phrases without an object are negatives. */
  readonly phrases: readonly string[];
  /** The frames after `image`, of a sample that is a clip. */
  readonly later?: readonly LaterFrame[];
}

/** A frame of a clip after the first. */
export interface LaterFrame {
  readonly image: RasterImage;
  /** Masks of the sample's objects, in their order, on the frame's own grid; empty where an object is not visible. */
  readonly masks: readonly BinaryMask[];
}

/** Samples that are loaded one at a time. */
export interface Dataset {
  readonly name: string;
  readonly size: number;
  /** All phrases of its samples, if known without loading them. */
  readonly phrases?: readonly string[] | undefined;
  /**
   * Reads a sample.
   *
   * @param index - in [0, size).
   */
  load(index: number): Promise<Sample>;
  /** The source of a sample, for file-based datasets: known without loading it. */
  source?(index: number): SampleSource | undefined;
  /** The underlying datasets, each with its contribution, for one that joins, repeats or renames others. */
  readonly parts?: readonly Dataset[];
}

/** The files and annotations of a sample. */
export interface SampleSource {
  readonly id: string;
  /** The image first, then its masks. */
  readonly files: readonly string[];
  /** Patient, volume or source image, if the dataset states it; never in two splits. */
  readonly group?: string | undefined;
  /** Further input of the sample, as text: a change means a different sample. */
  readonly annotation: string;
}
