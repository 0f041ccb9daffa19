/** Finding, downloading and loading pretrained models and adapters. */

export { loadAdapter } from './load-adapter.js';
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
  type MaskerParts,
  maskerConfigs,
  resolveModel,
  type Sam2Parts,
  type SamParts,
} from './load-model.js';
export { loadUniverSeg, type UniverSegParts, universegConfigs } from './load-universeg.js';
export { derivedConfig, readModelConfig } from './model-config.js';
export { saveAdapter } from './save-adapter.js';
export { exemplarModel, isPackaged, nanoModels, shippedModels, ultrasoundModels } from './shipped-models.js';
