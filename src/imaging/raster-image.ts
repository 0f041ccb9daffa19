import { type Calibration, commonSpacing, type SpacingMm } from './calibration.js';

/** An image in memory: RGB, 3 bytes per pixel, row-major. */
export interface RasterImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Millimetres between columns and between rows, if the file states them (DICOM, NIfTI) and they hold for the whole image. */
  readonly spacingMm?: SpacingMm;
  /** How pixels relate to millimetres. Absent where the file says nothing of it. */
  readonly calibration?: Calibration;
}

/** The image with its calibration, and the spacing where that is the same all over. */
export function calibrated(image: RasterImage, calibration: Calibration | undefined): RasterImage {
  const { spacingMm: _, calibration: __, ...plain } = image;
  const spacingMm = commonSpacing(calibration);
  return { ...plain, ...(spacingMm && { spacingMm }), ...(calibration && { calibration }) };
}
