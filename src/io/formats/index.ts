export {
  type NamedArray,
  readSafetensors,
  type SafetensorsFile,
  type StoredDtype,
  type WritableArray,
  type WriteOptions,
  writeSafetensors,
} from './safetensors.js';
