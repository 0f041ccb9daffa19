import type { BinaryMask, BoxXyxy, RasterImage } from '../processing/index.js';

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
  /** @param index - in [0, size). */
  load(index: number): Promise<Sample>;
}
