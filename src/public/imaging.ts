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
  type OverlayItem,
  type RasterImage,
  type Ring,
  type Size,
} from '../imaging/index.js';
