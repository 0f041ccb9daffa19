import { DataError } from '../../../util/index.js';

type Codecs = typeof import('./codecs.js');

/** Browser counterpart of `codecs.ts`, whose decoders need `eval`, which the page's policy forbids. */
export const requireDecoder: Codecs['requireDecoder'] = (packing) => {
  throw new DataError({
    code: 'E_IMAGE_BROWSER',
    where: 'image',
    what: `its frames are packed as ${packing}, which is not read in a browser`,
    fix: 'Export it uncompressed or as JPEG',
  });
};

export const decodeJpegLs: Codecs['decodeJpegLs'] = async () => requireDecoder('JPEG-LS') as never;

export const decodeJpeg2000: Codecs['decodeJpeg2000'] = async () => requireDecoder('JPEG 2000') as never;
