/** Finding, downloading and loading pretrained models and adapters. */

export { hasMemory } from './has-memory.js';
export { lacksLayer } from './lacks-layer.js';
export { loadAdapter } from './load-adapter.js';
export { type BiomedClipParts, biomedClipConfigs, loadBiomedClip, loadBiomedClipModel } from './load-biomed-clip.js';
export {
  type BiomedParseParts,
  biomedParseConfigs,
  loadBiomedParse,
  loadBiomedParseModel,
  randomBiomedParse,
} from './load-biomed-parse.js';
export {
  type AdaptedOptions,
  type DetectorParts,
  groundingDinoConfigs,
  isMasker,
  loadDetector,
  loadGroundingDino,
  loadMasker,
  loadSam,
  loadSam2,
  loadSam2Masker,
  loadSam2Video,
  loadSam2VideoParts,
  loadSamMasker,
  type MaskerParts,
  maskerConfigs,
  resolveModel,
  type Sam2Parts,
  type Sam2VideoParts,
  type SamParts,
  samConfigs,
} from './load-model.js';
export { loadSamus, type SamusParts, samusConfigs } from './load-samus.js';
export { loadUniverSeg, readUniverSegConfig, type UniverSegParts, universegConfigs } from './load-universeg.js';
export { derivedConfig, readModelConfig } from './model-config.js';
export { randomBiomedClip, randomSam, randomSamus, randomUniverSeg, type SamSize } from './random-models.js';
export { saveAdapter } from './save-adapter.js';
export { exemplarModel, isPackaged, nanoModels, shippedModels, trainingDataOf, ultrasoundModels } from './shipped-models.js';
