import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';

/** One thing in an image. */
export interface SampleObject {
  /** What the prompt calls it: one of the sample's phrases. */
  readonly phrase: string;
  /** Pixel edges. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid. */
  readonly mask: BinaryMask;
}

/** An image, what is asked of it, and the answers. */
export interface Sample {
  readonly id: string;
  readonly dataset: string;
  /** Where the image came from, if it is a file. */
  readonly file?: string;
  /** What images that belong together share: the patient, the volume. Absent: the image stands alone. */
  readonly group?: string;
  /** Width and height of a pixel in millimetres, where they are known. */
  readonly spacingMm?: readonly [x: number, y: number];
  readonly image: RasterImage;
  readonly objects: readonly SampleObject[];
  /** What the prompt asks for. Phrases without an object are negatives. */
  readonly phrases: readonly string[];
}

/** Samples that are loaded one at a time. */
export interface Dataset {
  readonly name: string;
  readonly size: number;
  /** All phrases that its samples may ask for, where that is known without loading them. */
  readonly phrases?: readonly string[] | undefined;
  /**
   * Reads a sample.
   *
   * @param index - in [0, size).
   */
  load(index: number): Promise<Sample>;
  /** Where a sample comes from, for datasets of files: known without loading it. */
  source?(index: number): SampleSource | undefined;
  /** The datasets that this one is made of, each with what it brings, for one that joins, repeats or renames others. */
  readonly parts?: readonly Dataset[];
}

/** The files and annotations that a sample is made of. */
export interface SampleSource {
  readonly id: string;
  /** The image first, then its masks. */
  readonly files: readonly string[];
  /** Patient, volume or source image, where the dataset tells: what must not be in two splits. */
  readonly group?: string | undefined;
  /** What else the sample depends on, as text: it is another sample when this changes. */
  readonly annotation: string;
}
