import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';

/** Gives a zip reader the bytes of an open file, and an error for what lies outside: of offsets in damaged files Node makes an uncaught exception. */
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

  /** For compressed entries, which are refused before. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }
}
