/** LoRA: layers, presets, merging, and PEFT's file format. */

export type { AdapterConfig } from './adapter-config.js';
export {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  type AdapterFile,
  type AdapterHalves,
  type AdapterTensor,
  adapterFolder,
  halfName,
  openAdapter,
  PEFT_PREFIX,
} from './adapter-file.js';
export { adaptersIn, applyLora, trainOnly, wrap } from './apply.js';
export { LoraLinear } from './lora-linear.js';
export { mergeLora, rememberBase, removeLora, setAdapterScale } from './merge.js';
export { type Place, placesFitting, placesIn } from './peft-names.js';
export { loraPresets } from './presets.js';
export { type LoraCount, type LoraReport, reportTable } from './report.js';
export type { LoraSpec } from './spec.js';
