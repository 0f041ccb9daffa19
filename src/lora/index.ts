export { adaptersIn, applyLora, parametersOf, trainOnly, wrap } from './apply.js';
export { LoraLinear, type LoraLinearOptions } from './lora-linear.js';
export { mergeLora, rememberBase, removeLora, setAdapterScale } from './merge.js';
export { type Place, placesFitting, placesIn } from './paths.js';
export { loraPresets } from './presets.js';
export { type LoraCount, type LoraReport, reportOf, reportTable } from './report.js';
export type { LoraSpec } from './spec.js';
