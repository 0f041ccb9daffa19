import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError, unreadableCode } from '../../util/index.js';

/**
 * Larger files are not read as images: the maximum that Node reads into a buffer at once. The longest cine clips of scanners and
 * whole-slide TIFFs of a decodable size stay below it.
 */
const MAX_BYTES = 2 ** 31 - 1;

/** An open image file. The caller closes it. */
export interface OpenedImage {
  readonly handle: FileHandle;
  readonly bytes: number;
}

/**
 * Opens an image file. All image readers use this function: special files (folders, named pipes, devices, sockets) may never end
 * or block for ever, and are refused.
 *
 * @param maxBytes - larger files are refused. Default: 2 GiB.
 * @throws DataError naming the file.
 */
export async function openImageFile(file: string, maxBytes: number = MAX_BYTES): Promise<OpenedImage> {
  // Non-blocking: opening a named pipe would otherwise wait for a writer.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENXIO' ? noFile(file) : unreadable(file, cause);
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw noFile(file);
    if (info.size > maxBytes)
      throw new DataError({
        code: 'E_FILE_TOO_LARGE',
        where: file,
        what: `it has ${(info.size / 1e9).toFixed(1)} GB`,
        fix: `Image files of up to ${(maxBytes / 1e9).toFixed(1)} GB are read: divide it, or check what it is`,
      });
    return { handle, bytes: info.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads an image file; errors name the file. */
export async function readImageFile(source: string | Buffer): Promise<Buffer> {
  if (typeof source !== 'string') return source;
  const { handle } = await openImageFile(source);
  try {
    return await handle.readFile();
  } catch (cause) {
    throw unreadable(source, cause as NodeJS.ErrnoException);
  } finally {
    await handle.close();
  }
}

/** The first bytes of an image file, or all if it is shorter. */
export async function readImageStart(file: string, length: number): Promise<Buffer> {
  const { handle } = await openImageFile(file, Number.POSITIVE_INFINITY);
  try {
    const start = Buffer.alloc(length);
    const { bytesRead } = await handle.read(start, 0, length, 0);
    return start.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function noFile(file: string): DataError {
  return new DataError({
    code: 'E_FILE_KIND',
    where: file,
    what: 'it is no regular file (a folder, a pipe or a device)',
    fix: 'Name an image file',
  });
}

function unreadable(file: string, cause: NodeJS.ErrnoException): DataError {
  const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
  return new DataError({ code: unreadableCode(cause), where: file, what, fix: 'Check the path', cause });
}
