/**
 * Images and masks: reading files, RLE, contours, overlays. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export {
  type BinaryMask,
  type BoxXyxy,
  type CocoRle,
  type Contour,
  contoursOf,
  decodeImage,
  decodeRle,
  drawOverlay,
  encodePng,
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
