import type { DataSet } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import { PIXELS } from './data-set.js';
import type { DicomHeader } from './dicom-header.js';
import type { Frames } from './frames.js';
import { nativeFrames } from './native-frames.js';
import { packedFrames } from './packed-frames.js';

/**
 * Locates all frames of a file, to verify the number of frames stated by its header before using it.
 *
 * @throws DataError naming the file when it has fewer or more bytes than stated, or no way to locate the frames.
 */
export function findFrames(set: DataSet, header: DicomHeader, where: string): Frames {
  const element = set.elements[PIXELS];
  if (element === undefined)
    throw new DataError({ code: 'E_IMAGE_NO_PIXELS', where, what: 'it has no pixels', fix: 'Choose an image file' });
  const size = (set.byteArray as Uint8Array).length;
  const open = element.length === 0xffffffff;
  if (!open && element.dataOffset + element.length > size)
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `it is damaged or cut off: it says ${element.length} bytes of pixels and has ${size - element.dataOffset}${lastFrame(header, element.length, size - element.dataOffset)}`,
      fix: 'Copy or export it again',
    });
  if (header.packing !== 'native') return packedFrames(set, element, header, where);
  if (open)
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: `its pixels are packed, but its transfer syntax ${header.transferSyntax} is uncompressed`,
      fix: 'Correct the transfer syntax (0002,0010), or export it again',
    });
  return nativeFrames(set, element, header, where);
}

/** Where the pixels of a cine clip end. */
function lastFrame({ frames, packing }: DicomHeader, stated: number, there: number): string {
  if (frames === 1 || packing !== 'native') return '';
  return `, which end in frame ${Math.floor((there * frames) / stated)} of ${frames}`;
}
