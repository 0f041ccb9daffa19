export { decodeElements, elementBytesOf, type NamedArray, type StoredDtype } from './elements.js';
export { floatToHalf, LARGEST_HALF } from './half.js';
export { readSafetensors, type SafetensorsFile, SafetensorsReader } from './safetensors.js';
export type { StoredTensor } from './safetensors-header.js';
export { TorchReader } from './torch-file.js';
export { type WritableArray, type WriteOptions, writeSafetensors } from './write-safetensors.js';
