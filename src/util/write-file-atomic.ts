import { statSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SonogroundError } from './errors/index.js';
import { temporaryPath } from './temporary-name.js';

/** The mount point of a path's file system, for messages. The path need not exist. */
export function mountOf(path: string): string {
  let place = resolve(path);
  while (deviceOf(place) === undefined && dirname(place) !== place) place = dirname(place);
  const device = deviceOf(place);
  while (dirname(place) !== place && deviceOf(dirname(place)) === device) place = dirname(place);
  return place;
}

function deviceOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.dev;
  } catch {
    return undefined;
  }
}

/**
 * Writes a file atomically, so that readers see either the old or the new content: to a temporary name in the same folder,
 * synced, renamed. Missing folders are created.
 *
 * @param content - the whole content, or a function that writes it chunk by chunk.
 * @throws SonogroundError naming the file when the disk is full or the folder is not writable; the old file is then intact.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | ((file: FileHandle) => Promise<void>),
): Promise<void> {
  const temporary = temporaryPath(path);
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
  EIO: ['the disk cannot be written (input/output error)', 'Look after the disk, or choose a folder on another one'],
  EACCES: ['the folder may not be written', 'Choose another folder, or change its permissions'],
  EPERM: ['the folder may not be written', 'Choose another folder, or change its permissions'],
  EROFS: ['the file system is read-only', 'Choose another folder'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Choose another folder'],
  EEXIST: ['a part of the path is a file, not a folder', 'Choose another folder'],
  EISDIR: ['it is a folder', 'Choose another name'],
  ENAMETOOLONG: ['the name is longer than this file system allows', 'Choose a shorter name'],
};

/** Errors of the disk, independent of the file. */
const OF_THE_DISK = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

/** Converts a write failure to a readable error; errors of other kinds are returned unchanged. */
export function readableFileError(path: string, cause: unknown): unknown {
  const code = codeOf(cause) ?? '';
  const known = FIXES[code];
  if (known === undefined) return cause;
  const [what, fix] = known;
  const disk = OF_THE_DISK.includes(code) ? ` (${mountOf(path)})` : '';
  return new SonogroundError({
    code: ['ENOSPC', 'EDQUOT'].includes(code) ? 'E_DISK_FULL' : 'E_FILE_WRITE',
    where: path,
    what: `${what}${disk}`,
    fix,
    cause,
  });
}

/** Whether an error of {@link writeFileAtomic} concerns only that file, so that others may still be written. */
export function concernsOneFile(error: unknown): boolean {
  const code = error instanceof SonogroundError ? codeOf(error.cause) : undefined;
  return code !== undefined && code in FIXES && !OF_THE_DISK.includes(code);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
