/** An image in memory: RGB, 3 bytes per pixel, row-major. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Millimetres between columns and between rows, if the file states them (DICOM, NIfTI). */
  readonly spacingMm?: readonly [across: number, down: number];
}
