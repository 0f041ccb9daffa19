export { boxIou, type Detection, type QueryAnswers, type SelectOptions, selectDetections } from './detections.js';
export { ADVANCE, LINE_HEIGHT, textPixels } from './font.js';
export { decodeImage, encodePng } from './image.js';
export { ImageProcessor, type ImageProcessorConfig, type ProcessedImages, scaleBoxes } from './image-processor.js';
export {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  connectedComponents,
  decodeGreyMask,
  decodeMask,
  fitMask,
  type GreyMap,
  maskArea,
  maskLogitsToBinary,
  maskToPng,
  resizeGreyMask,
  resizeMask,
  type Size,
} from './mask.js';
export { drawOverlay, type OverlayItem } from './overlay.js';
export { polygonsToMask } from './polygons.js';
export type { RasterImage } from './raster-image.js';
export { resizeImage } from './resample.js';
export { decodeRle, encodeRle, maskOfRuns, runsOf } from './rle.js';
export { collateText, type EncodedPrompt, PromptTokenizer, type TextBatch } from './text.js';
