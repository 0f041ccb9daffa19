import { type FileHandle, open, stat } from 'node:fs/promises';
import { CheckpointError, unreadableCode } from '../../util/index.js';

/** Maximum number of bytes per read. */
const PIECE_BYTES = 1 << 28;

/**
 * Opens a weight file. Rejects pipes and devices, which may never end.
 *
 * @throws CheckpointError naming the file that is missing, or not a regular file.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  const complain = (cause: NodeJS.ErrnoException) => {
    throw unreadable(path, cause);
  };
  const found = await stat(path).catch(complain);
  if (!found.isFile() && !found.isDirectory())
    throw new CheckpointError({
      code: 'E_FILE_KIND',
      where: path,
      what: 'it is a pipe or a device, not a file',
      fix: 'Name a file of weights',
    });
  if (found.isDirectory()) throw unreadable(path, Object.assign(new Error(), { code: 'EISDIR' }));
  return open(path, 'r').catch(complain);
}

/**
 * Reads a range of an open file into a new array.
 *
 * @throws CheckpointError naming the file when it is truncated or cannot be read.
 */
export async function readBytes(path: string, file: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  // Before allocating: the length comes from the file itself and is untrusted.
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

/** The error for a file that the operating system cannot read. */
function unreadable(path: string, cause: NodeJS.ErrnoException): CheckpointError {
  const known: Record<string, string> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder, not a weight file' };
  const what = known[cause.code ?? ''] ?? `it cannot be read (${cause.code})`;
  return new CheckpointError({ code: unreadableCode(cause), where: path, what, fix: 'Check the path', cause });
}

/** The error for a damaged file. */
export function damaged(path: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError({
    code: 'E_WEIGHTS_DAMAGED',
    where: path,
    what,
    fix: 'The file is truncated or damaged: copy or download it again',
    cause,
  });
}
