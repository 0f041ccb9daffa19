import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';

/**
 * Random access to an open file for a zip reader, with an error for out-of-range offsets in damaged files, which would cause an
 * uncaught exception in Node.
 */
export class ZipBytes extends RandomAccessReader {
  private readonly file: FileHandle;
  private readonly size: number;

  constructor(file: FileHandle, size: number) {
    super();
    this.file = file;
    this.size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!(position >= 0 && position + length <= this.size)) {
      callback(new Error('an offset lies outside the file'));
      return;
    }
    this.file.read(buffer, offset, length, position).then(({ bytesRead }) => callback(null, bytesRead), callback);
  }

  /** Only called for compressed entries, which are rejected earlier. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }
}
