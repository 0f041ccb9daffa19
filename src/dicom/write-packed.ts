import { DataError, writeFileAtomic } from '../util/index.js';
import { type DicomHeaderParts, encodeHeader } from './encode-dicom.js';

/** A DICOM file of compressed frames to write. */
export interface PackedImageParts extends DicomHeaderParts {
  /** Of the frames. */
  readonly transferSyntax: string;
  /** Compressed frames, in order. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Largest file, in bytes. */
  readonly mostBytes: number;
}

const UNDEFINED_LENGTH = 0xffffffff;

/**
 * Writes an image of compressed frames (PS3.5, A.4), frame by frame, atomically: an empty offset table, an item for each frame.
 *
 * @throws DataError when the file becomes larger than it may; SonogroundError when the disk does not take it.
 */
export async function writePackedDicom(path: string, parts: PackedImageParts, where: string): Promise<void> {
  const header = await encodeHeader(parts, true);
  await writeFileAtomic(path, async (file) => {
    let length = 0;
    const write = async (bytes: Uint8Array) => {
      length += bytes.length;
      if (length > parts.mostBytes)
        throw new DataError({
          code: 'E_FILE_TOO_LARGE',
          where,
          what: `compressed, too, it has more than ${(parts.mostBytes / 1e9).toFixed(1)} GB`,
          fix: 'Divide the clip',
        });
      await file.write(bytes);
    };
    await write(header);
    await write(Buffer.concat([Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0]), uint32(UNDEFINED_LENGTH)]));
    await write(item(0));
    for await (const frame of parts.frames) {
      await write(item(frame.length + (frame.length % 2)));
      await write(frame);
      if (frame.length % 2 === 1) await write(new Uint8Array(1));
    }
    await write(Buffer.concat([Buffer.from([0xfe, 0xff, 0xdd, 0xe0]), uint32(0)]));
  });
}

/** The tag and length of an item. */
function item(length: number): Uint8Array {
  return Buffer.concat([Buffer.from([0xfe, 0xff, 0x00, 0xe0]), uint32(length)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
