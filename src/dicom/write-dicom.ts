import { DataError, writeFileAtomic } from '../util/index.js';
import { type DicomHeaderParts, encodeHeader, pixelHead } from './encode-dicom.js';

/** A DICOM file to write: elements without pixels, and the pixels frame by frame. */
export interface DicomImageParts extends DicomHeaderParts {
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
