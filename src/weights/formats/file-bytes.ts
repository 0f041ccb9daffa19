import { type FileHandle, open, stat } from 'node:fs/promises';
import { CheckpointError } from '../../util/index.js';

/** Largest piece that is read at once. */
const PIECE_BYTES = 1 << 28;

/**
 * Opens a file of weights. Pipes and devices, which may never end, are refused.
 *
 * @throws CheckpointError naming the file that is missing, or is none.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  const complain = (cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause);
  };
  const found = await stat(path).catch(complain);
  if (!found.isFile() && !found.isDirectory())
    throw new CheckpointError({ where: path, what: 'it is a pipe or a device, not a file', fix: 'Name a file of weights' });
  if (found.isDirectory()) throw unreadable(path, Object.assign(new Error(), { code: 'EISDIR' }));
  return open(path, 'r').catch(complain);
}

/**
 * Reads a stretch of an open file into an array of its own.
 *
 * @throws CheckpointError naming the file when it ends too early or cannot be read.
 */
export async function readBytes(path: string, file: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  // Before anything is allocated: a length is what the file says of itself.
  if (start + length > (await file.stat()).size) throw damaged(path, 'it says that it has more bytes than there are');
  const bytes = new Uint8Array(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(PIECE_BYTES, length - done), start + done).catch((cause) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw damaged(path, 'the file ended while it was read');
    done += bytesRead;
  }
  return bytes;
}

/** The error of a file that the operating system does not give. */
function unreadable(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  const known: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder, not a weight file' };
  const what = known[cause.code ?? ''] ?? `it cannot be read (${cause.code})`;
  return new CheckpointError({ where: path, what, fix: 'Check the path', cause });
}

/** The error of a file that cannot be what was written. */
export function damaged(path: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError({ where: path, what, fix: 'The file is truncated or damaged: copy or download it again', cause });
}
