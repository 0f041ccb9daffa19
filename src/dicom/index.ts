/** Writing DICOM files. */

export { type Code, codeItem, codeSequence, dcm, empty, one, sct, sequence } from './codes.js';
export { type DicomElement, type DicomElements, decimalString } from './elements.js';
export { encodeDicom, IMPLEMENTATION } from './encode-dicom.js';
export { loadJpegLsEncoder } from './jpeg-ls.js';
export { writeDicomImage } from './write-dicom.js';
export { writePackedDicom } from './write-packed.js';
