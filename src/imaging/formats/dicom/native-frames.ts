import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../../util/index.js';
import type { DicomHeader } from './dicom-header.js';
import type { Frames, Sampling } from './frames.js';
import { BIG_ENDIAN } from './transfer-syntax.js';

/** Locates the frames of uncompressed pixels. */
export function nativeFrames(set: DataSet, element: Element, header: DicomHeader, where: string): Frames {
  const { sampling, size } = layoutOf(set, element, header, where);
  const source = set.byteArray as Uint8Array;
  return { sampling, bytes: (frame) => frameOf(source, element, header, frame * size, size) };
}

interface Layout {
  readonly sampling: Sampling;
  /** Frame size in bytes. */
  readonly size: number;
}

/**
 * Infers the layout from the number of bytes. Files labelled YBR_FULL_422 are often not subsampled; surplus bytes mean more
 * frames than stated, or a header of another image.
 */
function layoutOf(set: DataSet, element: Element, header: DicomHeader, where: string): Layout {
  const { width, height, samples, bitsAllocated, photometric, planar, frames } = header;
  const full: Layout = { sampling: '4:4:4', size: width * height * samples * (bitsAllocated / 8) };
  const shared: readonly Layout[] = [
    { sampling: '4:2:2', size: 4 * Math.ceil(width / 2) * height },
    { sampling: '4:2:2-running', size: 4 * Math.ceil((width * height) / 2) },
  ];
  const layouts = photometric === 'YBR_FULL_422' ? [...(planar ? [] : shared), full] : [full];
  const excess = ({ size }: Layout) => element.length - size * frames;
  // Elements have even length.
  const exact = layouts.find((layout) => excess(layout) === 0 || excess(layout) === 1);
  if (exact !== undefined) return exact;
  const [first] = layouts as [Layout];
  const more = excess(first);
  if (layouts.length === 1 && more > 0 && more < first.size && blank(set, element, first.size * frames)) return first;
  const wanted = layouts.map(({ size }) => size).filter((size, i, sizes) => sizes.indexOf(size) === i);
  throw new DataError({
    code: 'E_IMAGE_DAMAGED',
    where,
    what: `it has ${element.length} bytes of pixels for ${frames} frame${frames === 1 ? '' : 's'} of ${wanted.join(' or ')}`,
    fix:
      more < 0
        ? 'It is damaged or cut off: copy or export it again'
        : 'It may hold more frames than NumberOfFrames (0028,0008) says, or images of another size: correct its header or export it again',
  });
}

/** Whether only zeros follow an offset. */
function blank(set: DataSet, { dataOffset, length }: Element, from: number): boolean {
  return (set.byteArray as Uint8Array).subarray(dataOffset + from, dataOffset + length).every((byte) => byte === 0);
}

function frameOf(source: Uint8Array, element: Element, header: DicomHeader, from: number, size: number): Uint8Array {
  const { bitsAllocated, transferSyntax } = header;
  const start = element.dataOffset + from;
  if (transferSyntax !== BIG_ENDIAN || (bitsAllocated === 8 && element.vr !== 'OW')) return source.subarray(start, start + size);
  // Bytes written as big-endian words: neighbours are swapped, across frame boundaries too.
  return Uint8Array.from({ length: size }, (_, i) => source[element.dataOffset + ((from + i) ^ 1)] as number);
}
