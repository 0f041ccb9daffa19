export { encodeSegmentation, type SegmentationOptions } from './segmentation.js';
export { trackingUid } from './segments.js';
