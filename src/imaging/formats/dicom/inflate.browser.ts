import { DataError } from '../../../util/index.js';

/** As `inflate.ts`: browsers unpack too, but not while a parser waits. */
export const inflateDataSet: typeof import('./inflate.js').inflateDataSet = () => {
  throw new DataError({
    code: 'E_IMAGE_BROWSER',
    where: 'image',
    what: 'it is a deflated DICOM file, which is not read in a browser',
    fix: 'Export it uncompressed',
  });
};
