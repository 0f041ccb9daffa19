export { type NamedArray, readSafetensors, type SafetensorsFile, SafetensorsReader } from './safetensors.js';
export type { StoredDtype, StoredTensor } from './safetensors-header.js';
export { type WritableArray, type WriteOptions, writeSafetensors } from './write-safetensors.js';
