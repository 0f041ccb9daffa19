/** Tensors from images and prompts, and detections from model outputs. */

export { centreCrop, clipPixels } from './clip-image.js';
export { collateText } from './collate-text.js';
export {
  boxIou,
  type Detection,
  mostDetections,
  type QueryAnswers,
  type Selection,
  type SelectOptions,
  selectDetections,
  selections,
} from './detections.js';
export { greyInput, maskInput } from './exemplar-inputs.js';
export { greyImage } from './grey-image.js';
export { ImageProcessor, LARGEST_SIDE, type ProcessedImages, scaleBoxes } from './image-processor.js';
export { type BetaParameters, type MaskDistributions, maskPValue, readMaskDistributions } from './mask-distributions.js';
export { mirrorImage, mirrorMask, mirrorPhrase } from './mirror.js';
export { saveImageSettings } from './save-image-settings.js';
