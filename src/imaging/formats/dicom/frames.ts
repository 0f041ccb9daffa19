/**
 * How uncompressed colours lie: a sample of each for every pixel, or one pair of colour differences for two neighbours,
 * line by line (`4:2:2`) or running on over the ends of lines (`4:2:2-running`), which differ in pictures of odd width.
 */
export type Sampling = '4:4:4' | '4:2:2' | '4:2:2-running';

/** A file's frames by their bytes, all of which have been found. */
export interface Frames {
  readonly sampling: Sampling;
  /** The bytes of a frame, as they are packed. Native ones come in little-endian order. */
  bytes(frame: number): Uint8Array;
}
