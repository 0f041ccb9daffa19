// Cine clips are read by the common image reader, so that train, infer, eval and import accept the same files.
export { DicomFile, type DicomHeader, imageStem, listImages, type UltrasoundRegion } from '../../imaging/index.js';
