/** Weight files: safetensors and PyTorch files, the names and layouts of their tensors. */

export { type LoadOptions, loadCheckpoint, saveCheckpoint, type TiedKeys, untie } from './checkpoint.js';
export { FiniteCheck } from './finite.js';
export { type KeyNaming, ourKeys, theirKey, underTheirKeys } from './key-naming.js';
export { fromTorchLayout, torchShape, toTorchLayout } from './layout.js';
export { readJson } from './read-json.js';
export { namingOf, underOurKeys } from './renamed-source.js';
export { modelFolder, openWeights, type WeightSource, weightFile } from './weights.js';
