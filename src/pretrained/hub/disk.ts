import { copyFile, link, mkdir, rename, rm, statfs, symlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { SonogroundError, temporaryPath } from '../../util/index.js';
import { HubError } from './hub-error.js';

const OTHER_FOLDER = 'Let HF_HUB_CACHE name another folder, or change its permissions';
const PROBLEMS: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOSPC: [
    'the disk is full',
    'Free some space, or let HF_HUB_CACHE name a folder on another disk, and run it again: it goes on',
  ],
  EDQUOT: [
    'the disk quota is used up',
    'Free some space, or let HF_HUB_CACHE name a folder elsewhere, and run it again: it goes on',
  ],
  EFBIG: ['the file system takes no file of this size', 'Let HF_HUB_CACHE name a folder on another disk'],
  EACCES: ['it may not be written', OTHER_FOLDER],
  EPERM: ['it may not be written', OTHER_FOLDER],
  EROFS: ['the file system is read-only', 'Let HF_HUB_CACHE name another folder'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Let HF_HUB_CACHE name another folder'],
  EEXIST: ['a part of the path is a file, not a folder', 'Let HF_HUB_CACHE name another folder'],
};

/** Converts a file system error to a readable one; returns any other error unchanged. */
export function readableDiskError(cause: unknown, path: string): unknown {
  const problem = PROBLEMS[(cause as NodeJS.ErrnoException | undefined)?.code ?? ''];
  if (problem === undefined || cause instanceof SonogroundError) return cause;
  const { code = '', path: named = path } = cause as NodeJS.ErrnoException;
  return new HubError({
    code: ['ENOSPC', 'EDQUOT'].includes(code) ? 'E_DISK_FULL' : 'E_FILE_WRITE',
    where: named,
    what: problem[0],
    fix: problem[1],
    cause,
  });
}

/**
 * Checks free space before a long download.
 *
 * @throws HubError naming the required and the free space.
 */
export async function requireSpace(dir: string, bytes: number): Promise<void> {
  const found = await statfs(dir).catch(() => undefined);
  const free = found === undefined ? Number.POSITIVE_INFINITY : found.bavail * found.bsize;
  if (free < bytes)
    throw new HubError({
      code: 'E_DISK_FULL',
      where: dir,
      what: `expected ${Math.ceil(bytes / 1e6)} MB of free space, got ${Math.floor(free / 1e6)} MB`,
      fix: 'Free some space, or let HF_HUB_CACHE name a folder on another disk',
    });
}

/** Methods to make a file available at a path: `(file, path) => …`, best first. */
export type Ways = readonly ((file: string, path: string) => Promise<void>)[];

/** Symbolic links, as upstream; where they are not available, as on some Windows systems, a hard link or a copy. */
export const snapshotWays: Ways = [
  (file, path) => symlink(relative(dirname(path), file), path),
  link,
  (file, path) => copyFile(file, path),
];

/** A copy, independent of the cache. */
export const copyWays: Ways = [(file, path) => copyFile(file, path)];

/** A hard link, for files that nobody edits in place. */
export const linkWays: Ways = [link, (file, path) => copyFile(file, path)];

/**
 * Makes a file available at a path by the first method that works, atomically replacing any existing file. Creates parent
 * folders.
 */
export async function place(file: string, path: string, ways: Ways): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryPath(path);
  try {
    await inFirstWay(file, temporary, ways);
    await rename(temporary, path);
  } finally {
    // Renaming a hard link onto another link to the same file does nothing, and leaves both.
    await rm(temporary, { force: true });
  }
}

async function inFirstWay(file: string, path: string, [way, ...others]: Ways): Promise<void> {
  try {
    await way?.(file, path);
  } catch (error) {
    if (others.length === 0) throw error;
    await rm(path, { force: true });
    await inFirstWay(file, path, others);
  }
}
