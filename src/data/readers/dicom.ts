// Films are read where all pictures are, so that train, infer, eval and import take the same files.
export { DicomFile, type DicomHeader, listPictures, pictureStem, type UltrasoundRegion } from '../../imaging/index.js';
