/**
 * Layout of uncompressed colours: a sample of each per pixel, or one pair of colour differences per two neighbouring pixels, line
 * by line (`4:2:2`) or continuing across line ends (`4:2:2-running`), which differ in images of odd width.
 */
export type Sampling = '4:4:4' | '4:2:2' | '4:2:2-running';

/** The located frames of a file. */
export interface Frames {
  readonly sampling: Sampling;
  /** The encoded bytes of a frame. Native pixels are little-endian. */
  bytes(frame: number): Uint8Array;
}
