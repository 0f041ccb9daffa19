export { type LoadOptions, loadCheckpoint, saveCheckpoint, type TiedKeys, untie } from './checkpoint.js';
export { type NamedArray, readSafetensors, type SafetensorsFile, SafetensorsReader, writeSafetensors } from './formats/index.js';
export { fromTorchLayout, torchShape, toTorchLayout } from './layout.js';
export { readJson } from './read-json.js';
export { Weights } from './weights.js';
