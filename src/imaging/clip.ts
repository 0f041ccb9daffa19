import type { RasterImage } from './raster-image.js';

/** A cine clip whose frames are decoded one at a time, on demand, in any order. All frames have one size. */
export interface Clip {
  /** The name of the file or folder, for messages. */
  readonly name: string;
  /** Number of frames, at least 1. */
  readonly frames: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Time between two frames in seconds, where the file has it. */
  readonly frameSeconds?: number | undefined;
  /**
   * Decodes frame `index`, counted from 0.
   *
   * @throws DataError naming the clip and the frame that cannot be read.
   */
  frame(index: number): Promise<RasterImage>;
}
