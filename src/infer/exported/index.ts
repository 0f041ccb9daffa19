export { type ExportedModels, loadExported } from './load-exported.js';
export {
  type ExportForm,
  exportForms,
  isExported,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestPart,
  type ManifestSignature,
  readManifest,
} from './manifest.js';
export { openRunner, type Runner } from './runner.js';
