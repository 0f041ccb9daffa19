/**
 * Text-prompted segmentation of ultrasound images.
 *
 * {@link Sonoground} is all that most programs need. `sonoground/imaging` has masks, contours and overlays, without TensorFlow.js;
 * `sonoground/data`, `sonoground/train` and `sonoground/eval` what their names say; `sonoground/models` the models, adapters and
 * predictors themselves.
 *
 * @packageDocumentation
 */
export { type BackendName, initBackend, type Precision } from './backend/index.js';
export {
  type BinaryMask,
  type BoxXyxy,
  decodeImage,
  drawOverlay,
  encodePng,
  maskToPng,
  maskToRle,
  type RasterImage,
} from './imaging/index.js';
export { GroundedSegmenter, type SegmentOptions } from './infer/index.js';
export { BiomedClip } from './models/biomed-clip/index.js';
export { BiomedParse } from './models/biomed-parse/index.js';
export { GroundingDino } from './models/grounding-dino/index.js';
export { Sam } from './models/sam/index.js';
export { Sam2, Sam2Video } from './models/sam2/index.js';
export { Samus } from './models/samus/index.js';
export { UniverSeg } from './models/universeg/index.js';
export { type Found, type FromPretrainedOptions, type ImageSource, type Segmentation, Sonoground } from './sonoground.js';
export * from './util/errors/index.js';
