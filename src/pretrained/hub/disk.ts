import { statfs } from 'node:fs/promises';
import { SonogroundError } from '../../util/index.js';
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
