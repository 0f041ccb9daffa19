import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { DicomHeader } from './dicom-header.js';
import { BIG_ENDIAN } from './transfer-syntax.js';

const PIXELS = 'x7fe00010';

/** The bytes of one frame, as they are packed. Native ones come in little-endian order. */
export async function frameBytes(set: DataSet, header: DicomHeader, frame: number, where: string): Promise<Uint8Array> {
  const element = set.elements[PIXELS] as Element;
  if (header.packing === 'native') return nativeFrame(set, element, header, frame, where);
  const { createJPEGBasicOffsetTable, readEncapsulatedImageFrame, readEncapsulatedPixelDataFromFragments } = (
    await import('dicom-parser')
  ).default;
  const fragments = element.fragments ?? [];
  if (fragments.length < header.frames)
    throw new DataError({
      where,
      what: `it has ${fragments.length} packed pieces for ${header.frames} frame${header.frames === 1 ? '' : 's'}`,
      fix: 'It is damaged or cut off: copy or export it again',
    });
  if (header.frames === 1) return readEncapsulatedPixelDataFromFragments(set, element, 0, fragments.length);
  if (fragments.length === header.frames) return readEncapsulatedPixelDataFromFragments(set, element, frame);
  const table = element.basicOffsetTable ?? [];
  if (table.length === header.frames) return readEncapsulatedImageFrame(set, element, frame);
  if (header.packing !== 'jpeg')
    throw new DataError({ where, what: 'nothing says where its frames begin', fix: 'Export it with a basic offset table' });
  return readEncapsulatedImageFrame(set, element, frame, createJPEGBasicOffsetTable(set, element));
}

function nativeFrame(set: DataSet, element: Element, header: DicomHeader, frame: number, where: string): Uint8Array {
  const { width, height, samples, bitsAllocated, photometric, frames, transferSyntax } = header;
  // Two neighbours share their colour differences: Y, Y, Cb, Cr.
  const perPixel = photometric === 'YBR_FULL_422' ? 2 : samples * (bitsAllocated / 8);
  const size = width * height * perPixel;
  if (element.length < size * frames)
    throw new DataError({
      where,
      what: `it has ${element.length} bytes of pixels for ${frames} frame${frames === 1 ? '' : 's'} of ${size}`,
      fix: 'It is damaged or cut off: copy or export it again',
    });
  const start = element.dataOffset + frame * size;
  const source = set.byteArray as Uint8Array;
  if (transferSyntax !== BIG_ENDIAN) return source.subarray(start, start + size);
  if (bitsAllocated === 16) return Uint8Array.from({ length: size }, (_, i) => source[start + (i ^ 1)] as number);
  if (element.vr !== 'OW') return source.subarray(start, start + size);
  // Bytes written as big-endian words: neighbours have changed places, over the borders of frames too.
  return Uint8Array.from({ length: size }, (_, i) => source[element.dataOffset + ((frame * size + i) ^ 1)] as number);
}
