/** Exporting models: Hugging Face folders, PEFT folders, graph models and saved models. */

export { type ExportOptions, type ExportSource, exportModel } from './export-model.js';
export { type WeightType, weightTypes } from './graph-model.js';
