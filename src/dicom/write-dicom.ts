import { DataError, writeFileAtomic } from '../util/index.js';
import type { DicomElements } from './elements.js';

/** Explicit VR Little Endian. */
const EXPLICIT = '1.2.840.10008.1.2.1';

/** Names this software as the writer: a UUID-derived UID (PS3.5, annex B.2), made once. */
const IMPLEMENTATION = { uid: '2.25.219307465185213482912057731846913057391', name: 'SONOGROUND' } as const;

/** A DICOM file to write: elements without pixels, and the pixels frame by frame. */
export interface DicomImageParts {
  readonly sopClass: string;
  readonly sopInstance: string;
  readonly elements: DicomElements;
  readonly pixels: {
    readonly bitsAllocated: 8 | 16;
    readonly bytesPerFrame: number;
    readonly frames: number;
    /** Native little-endian samples of a frame. */
    frame(index: number): Promise<Uint8Array>;
  };
}

/** Pixels of a native element at most: its length has 32 bits, is even, and all ones stand for undefined. */
const MAX_BYTES = 0xfffffffe;

/**
 * Writes an image, uncompressed, as Explicit VR Little Endian: an empty preamble, file meta information of its own, the elements,
 * the pixels, and nothing after them. Frames are asked for one by one.
 *
 * @throws DataError when the pixels exceed 4 GB; SonogroundError when the disk does not take them.
 */
export async function writeDicomImage(path: string, parts: DicomImageParts, where: string): Promise<void> {
  const { bitsAllocated, bytesPerFrame, frames, frame } = parts.pixels;
  const length = bytesPerFrame * frames;
  if (length > MAX_BYTES)
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where,
      what: `its pixels take ${(length / 1e9).toFixed(1)} GB uncompressed; a DICOM file holds up to 4.3 GB`,
      fix: 'Export it in parts',
    });
  const header = await encodeHeader(parts);
  await writeFileAtomic(path, async (file) => {
    await file.write(header);
    await file.write(pixelHead(bitsAllocated, length + (length % 2)));
    for (let i = 0; i < frames; i++) {
      const bytes = await frame(i);
      if (bytes.length !== bytesPerFrame) throw new RangeError(`frame ${i} has ${bytes.length} bytes, not ${bytesPerFrame}`);
      await file.write(bytes);
    }
    if (length % 2 === 1) await file.write(new Uint8Array(1));
  });
}

async function encodeHeader({ sopClass, sopInstance, elements }: DicomImageParts): Promise<Uint8Array> {
  const { default: dcmjs } = await import('dcmjs');
  const uid = (value: string) => ({ vr: 'UI', Value: [value] });
  const file = new dcmjs.data.DicomDict({
    '00020001': { vr: 'OB', Value: [Uint8Array.from([0, 1]).buffer] },
    '00020002': uid(sopClass),
    '00020003': uid(sopInstance),
    '00020010': uid(EXPLICIT),
    '00020012': uid(IMPLEMENTATION.uid),
    '00020013': { vr: 'SH', Value: [IMPLEMENTATION.name] },
  });
  const order = Object.keys(elements).sort();
  file.dict = Object.fromEntries(order.map((tag) => [tag, elements[tag]]));
  return new Uint8Array(file.write({ allowInvalidVRLength: false }));
}

/** Tag, VR and length of Pixel Data (7FE0,0010). */
function pixelHead(bitsAllocated: 8 | 16, length: number): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(0x7fe0, 0);
  head.writeUInt16LE(0x0010, 2);
  head.write(bitsAllocated === 16 ? 'OW' : 'OB', 4, 'latin1');
  head.writeUInt32LE(length, 8);
  return head;
}
