import { DataError } from '../../../util/index.js';

/** How a file's pixels are encoded. */
export type Packing = 'native' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg-2000';

export const [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN] = [
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.2',
] as const;

/** The supported transfer syntaxes by UID (DICOM PS3.5, annex A; PS3.6, annex A). */
const PACKINGS: Readonly<Record<string, Packing>> = {
  [IMPLICIT]: 'native',
  [EXPLICIT]: 'native',
  [DEFLATED]: 'native',
  [BIG_ENDIAN]: 'native',
  '1.2.840.10008.1.2.5': 'rle',
  '1.2.840.10008.1.2.4.50': 'jpeg',
  '1.2.840.10008.1.2.4.51': 'jpeg',
  '1.2.840.10008.1.2.4.57': 'jpeg',
  '1.2.840.10008.1.2.4.70': 'jpeg',
  '1.2.840.10008.1.2.4.80': 'jpeg-ls',
  '1.2.840.10008.1.2.4.81': 'jpeg-ls',
  '1.2.840.10008.1.2.4.90': 'jpeg-2000',
  '1.2.840.10008.1.2.4.91': 'jpeg-2000',
};

/** MPEG-2, MPEG-4 and HEVC video. */
const MPEG = /^1\.2\.840\.10008\.1\.2\.4\.10\d/;

/** @throws DataError naming the file for video and for unsupported encodings. */
export function packingOf(uid: string, where: string): Packing {
  const packing = PACKINGS[uid];
  if (packing !== undefined) return packing;
  if (MPEG.test(uid))
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what: `its frames are packed as an MPEG stream (transfer syntax ${uid}), which is not read`,
      fix: 'Export it from the scanner or the archive as JPEG or uncompressed frames',
    });
  throw new DataError({
    code: 'E_IMAGE_FORMAT',
    where,
    what: `its transfer syntax ${uid} is not read`,
    fix: 'Export it uncompressed, or as JPEG, JPEG-LS, JPEG 2000 or RLE',
  });
}
