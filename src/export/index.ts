export { type ExportOptions, type ExportSource, exportModel } from './export-model.js';
export { type WeightType, weightTypes } from './graph-model.js';
