export { type NamedArray, readSafetensors, type SafetensorsFile, type StoredDtype } from './safetensors.js';
