/** A picture in memory: RGB, 3 bytes a pixel, row-major. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Millimetres between columns and between rows, where the file says (DICOM, NIfTI). */
  readonly spacingMm?: readonly [across: number, down: number];
}
