import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SonogroundError } from './errors/index.js';

/**
 * Writes a file so that a reader sees the old content or the new, never a part: to a temporary name in the same folder,
 * synced, renamed. Missing folders are made.
 *
 * @param content - the whole content, or a function that writes it piece by piece.
 * @throws SonogroundError naming the file when the disk is full or the folder may not be written; the old file is then intact.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | ((file: FileHandle) => Promise<void>),
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      if (typeof content === 'function') await content(file);
      else await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw readableFileError(path, cause);
  }
}

const FIXES: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space; the old file, if there was one, is intact'],
  EFBIG: [
    'the file would be larger than is allowed here',
    'Raise the limit (ulimit -f); the old file, if there was one, is intact',
  ],
  EDQUOT: ['the disk quota is used up', 'Free some space; the old file, if there was one, is intact'],
  EACCES: ['the folder may not be written', 'Choose another folder, or change its permissions'],
  EPERM: ['the folder may not be written', 'Choose another folder, or change its permissions'],
  EROFS: ['the file system is read-only', 'Choose another folder'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Choose another folder'],
  EEXIST: ['a part of the path is a file, not a folder', 'Choose another folder'],
  EISDIR: ['it is a folder', 'Choose another name'],
};

/** What a person should read when a file cannot be written; an error of another kind stays itself. */
export function readableFileError(path: string, cause: unknown): unknown {
  const known = FIXES[(cause as NodeJS.ErrnoException).code ?? ''];
  return known === undefined ? cause : new SonogroundError({ where: path, what: known[0], fix: known[1], cause });
}
