/** Asking, fetching from and storing at archives that speak DICOMweb: QIDO-RS, WADO-RS, STOW-RS. */

export { parseArchiveAddress } from './address.js';
export { type ArchiveOptions, DicomWebClient } from './client.js';
export { DicomWebError } from './dicomweb-error.js';
export { type ArchiveSettings, archiveSettings } from './settings.js';
export type { StoredObject } from './store.js';
export { isUid, type StudyInstance } from './study-instance.js';
