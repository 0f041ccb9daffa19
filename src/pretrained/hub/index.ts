export { findCachedOrMain, resolveModelDirectory } from './cache.js';
export { type DownloadedModel, type DownloadOptions, downloadModel } from './download-model.js';
export type { HubEvent } from './events.js';
export { exportFiles, prepareFolder } from './export-files.js';
export { HubError } from './hub-error.js';
export { knownModels } from './known-models.js';
export { parseModelName } from './model-name.js';
export { type HubSettings, hubSettings } from './settings.js';
