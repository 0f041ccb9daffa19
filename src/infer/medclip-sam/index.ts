export { CamDetector, type CamDetectorOptions } from './cam-detector.js';
export { informationOfPatches } from './information-bottleneck.js';
export { LargestComponentMasker } from './largest-component-masker.js';
export { SaliencyDetector, type SaliencyOptions } from './saliency-detector.js';
