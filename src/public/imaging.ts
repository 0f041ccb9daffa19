/**
 * Images and masks: reading files, RLE, contours, overlays. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export {
  type BinaryMask,
  type BoxXyxy,
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
  type Size,
  writeMp4,
  writeWebp,
} from '../imaging/index.js';
