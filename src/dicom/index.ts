/** Writing DICOM files. */

export { type DicomElement, type DicomElements, decimalString } from './elements.js';
export { writeDicomImage } from './write-dicom.js';
