/** A picture in memory: RGB, 3 bytes a pixel, row-major. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
