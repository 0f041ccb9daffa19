import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, unreadableCode } from '../../util/index.js';
import { openImageFile } from './image-file.js';

/** Size of the file as it is stored, in bytes. */
export async function bytesOf(source: string | Buffer): Promise<number> {
  if (typeof source !== 'string') return source.length;
  const { handle, bytes } = await openImageFile(source, Number.POSITIVE_INFINITY);
  await handle.close();
  return bytes;
}

/** Name of a volume in errors. */
export function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}

/** Fills a buffer from the uncompressed file, starting at `offset`; returns the number of bytes read. */
export async function fill(source: string | Buffer, into: Buffer, offset: number): Promise<number> {
  try {
    return (await isGzip(source)) ? await fillFromGzip(source, into, offset) : await fillAsIs(source, into, offset);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const file = nameOf(source);
    const { code } = cause as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true)
      throw new DataError({
        code: 'E_IMAGE_DAMAGED',
        where: file,
        what: 'its gzip stream is damaged or cut off',
        fix: 'Copy or download it again',
        cause,
      });
    throw new DataError({
      code: unreadableCode(cause),
      where: file,
      what: `it cannot be read (${code})`,
      fix: 'Check the path',
      cause,
    });
  }
}

export async function isGzip(source: string | Buffer): Promise<boolean> {
  const start = Buffer.alloc(2);
  await fillAsIs(source, start, 0);
  return start[0] === 0x1f && start[1] === 0x8b;
}

async function fillAsIs(source: string | Buffer, into: Buffer, offset: number): Promise<number> {
  return typeof source === 'string' ? fillFromFile(source, into, offset) : source.copy(into, 0, Math.min(offset, source.length));
}

async function fillFromFile(file: string, into: Buffer, offset: number): Promise<number> {
  const { handle } = await openImageFile(file, Number.POSITIVE_INFINITY);
  try {
    let done = 0;
    while (done < into.length) {
      // A single read is limited to 2 GB.
      const { bytesRead } = await handle.read(into, done, Math.min(into.length - done, 1 << 30), offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  } finally {
    await handle.close();
  }
}

/** Trailing bytes after the voxels that are still inflated, so that the checksum is verified. */
const MAX_TAIL = 1 << 20;

/**
 * Inflates only the requested bytes and a short tail up to the checksum: a file that inflates to far more than its header states
 * costs nothing.
 */
async function fillFromGzip(packed: string | Buffer, into: Buffer, offset: number): Promise<number> {
  const opened = typeof packed === 'string' ? await openImageFile(packed, Number.POSITIVE_INFINITY) : undefined;
  const source = opened === undefined ? Readable.from([packed]) : opened.handle.createReadStream();
  const unpacked = source.pipe(createGunzip());
  source.on('error', (error: Error) => unpacked.destroy(error));
  const enough = offset + into.length + (offset === 0 ? 0 : MAX_TAIL);
  let seen = 0;
  let done = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const skip = Math.min(Math.max(0, offset - seen), chunk.length);
      seen += chunk.length;
      done += chunk.copy(into, done, skip);
      if (seen >= enough) break;
    }
  } finally {
    source.destroy();
    unpacked.destroy();
  }
  return done;
}
