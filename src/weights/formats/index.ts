export type { NamedArray } from './elements.js';
export { floatToHalf, LARGEST_HALF } from './half.js';
export { readSafetensors, SafetensorsReader } from './safetensors.js';
export { TorchReader } from './torch-file.js';
export { writeSafetensors } from './write-safetensors.js';
