export {
  CALIBRATION_FILE,
  type PresenceCalibration,
  type PresenceThreshold,
  type PresenceVerdict,
  presenceThresholdSchema,
  presenceVerdict,
  readCalibration,
  writeCalibration,
} from './calibration.js';
export { type LoadOptions, loadCheckpoint, saveCheckpoint, type TiedKeys, untie } from './checkpoint.js';
export { FiniteCheck } from './finite.js';
export { type NamedArray, readSafetensors, type SafetensorsFile, SafetensorsReader, writeSafetensors } from './formats/index.js';
export * from './hub/index.js';
export {
  type CopiedKeys,
  type FusedKeys,
  type KeyNaming,
  ourKeys,
  type StackedKeys,
  theirKey,
  underTheirKeys,
} from './key-naming.js';
export { fromTorchLayout, torchShape, toTorchLayout } from './layout.js';
export { readJson } from './read-json.js';
export { namingOf, underOurKeys } from './renamed-source.js';
export { modelFolder, openWeights, type WeightSource } from './weights.js';
