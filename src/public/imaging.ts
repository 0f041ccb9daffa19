/**
 * Images and masks: reading files, RLE, contours, overlays, measures in millimetres. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export {
  type BinaryMask,
  type BoxXyxy,
  type Calibration,
  type Clip,
  type CocoRle,
  type Contour,
  decodeImage,
  decodeRle,
  drawOverlay,
  encodePng,
  findContours,
  type MaskLogits,
  maskToBooleans,
  maskToPng,
  maskToPolygons,
  maskToRle,
  type OpenedClip,
  type OverlayItem,
  openClip,
  openFrames,
  type RasterImage,
  type Ring,
  type ScanRegion,
  type Size,
  type SpacingMm,
  writeMp4,
  writeWebp,
} from '../imaging/index.js';
export {
  type Depth,
  type Diameter,
  type EllipsoidVolume,
  ellipsoidVolume,
  isMeasured,
  type MaskMeasures,
  type MeasuredEllipse,
  measureMask,
  type PlaneAxes,
  type Unmeasured,
  withGivenSpacing,
} from '../measure/index.js';
