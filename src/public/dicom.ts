/**
 * DICOM segmentations (SEG) and measurement reports (SR) of what was found, in memory. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export type { Code, DicomElement, DicomElements } from '../dicom/index.js';
export {
  type Algorithm,
  type EncodedInstance,
  type EncodedSegmentation,
  type EvidenceOptions,
  encodeReport,
  encodeSegmentation,
  type Identity,
  keptIdentity,
  type ObjectOnFrame,
  type PhraseCodes,
  type PhraseMeaning,
  type ReportOptions,
  readPhraseCodes,
  readSourceInstance,
  replacedIdentity,
  type SegmentationForm,
  type SegmentationOptions,
  type SegmentedObject,
  type SourceInstance,
} from '../evidence/index.js';
export { type MeasuresFields, type MeasuresRecord, measuresFields } from '../measure/index.js';
