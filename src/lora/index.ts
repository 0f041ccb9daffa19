export { loadAdapter, saveAdapter } from './adapter-file.js';
export { applyLora } from './apply.js';
export { LoraLinear, type LoraLinearOptions } from './lora-linear.js';
export { mergeLora, removeLora, setLoraScale } from './merge.js';
export { loraPresets } from './presets.js';
export { type LoraCount, type LoraReport, reportOf } from './report.js';
export type { LoraSpec } from './spec.js';
