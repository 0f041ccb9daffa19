/** Asking, fetching from and storing at archives that speak DICOMweb: QIDO-RS, WADO-RS, STOW-RS. */

export { parseArchiveAddress } from './address.js';
export { DicomWebClient } from './client.js';
export type { SentFrame } from './frames.js';
export { itemsOf, type JsonDataSet, textOf } from './json-model.js';
export { archiveSettings } from './settings.js';
export type { StoredObject } from './store.js';
export { isUid, type StudyInstance } from './study-instance.js';
