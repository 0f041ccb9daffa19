// DICOM files are read where all images are, so that train, infer, eval and import take the same files.
export { DicomFile, type DicomHeader, imageStem, listImages, type UltrasoundRegion } from '../../imaging/index.js';
