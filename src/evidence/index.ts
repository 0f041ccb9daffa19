/** DICOM segmentations and measurement reports of what was found. */

export { type Identity, keptIdentity, replacedIdentity } from './identity/index.js';
export { type PhraseCodes, type PhraseMeaning, readPhraseCodes } from './phrase-codes.js';
export { encodeReport, type ReportOptions } from './report/index.js';
export { encodeSegmentation, type SegmentationOptions } from './segmentation/index.js';
export { readSourceInstance } from './source-instance.js';
export {
  type Algorithm,
  type EncodedInstance,
  type EncodedSegmentation,
  type EvidenceOptions,
  type ObjectOnFrame,
  type PlaneVolume,
  type SegmentationForm,
  type SegmentedObject,
  type SourceInstance,
  segmentationForms,
} from './types.js';
