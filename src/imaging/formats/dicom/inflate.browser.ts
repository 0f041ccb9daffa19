import { DataError } from '../../../util/index.js';

/** Browser counterpart of `inflate.ts`: browsers can only inflate asynchronously, and the parser is synchronous. */
export const inflateDataSet: typeof import('./inflate.js').inflateDataSet = () => {
  throw new DataError({
    code: 'E_IMAGE_BROWSER',
    where: 'image',
    what: 'it is a deflated DICOM file, which is not read in a browser',
    fix: 'Export it uncompressed',
  });
};
