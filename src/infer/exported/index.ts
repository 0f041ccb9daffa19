export { ExportedTracking } from './exported-tracking.js';
export { isExported } from './is-exported.js';
export { type ExportedModels, loadExported } from './load-exported.js';
export { graphFiles, loadExportedGraphs } from './load-graphs.js';
export {
  type ExportForm,
  exportForms,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestMemory,
  type ManifestPart,
  type ManifestSignature,
  readManifest,
} from './manifest.js';
export { openRunner } from './runner.js';
export type { Runner } from './signatures.js';
