import { realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { DataError } from './errors/index.js';
import { safeRelative } from './safe-relative.js';

/**
 * Finds the path of a file below a folder by a name that was read from a file. Besides names that lead out by themselves, links
 * that do are refused; the folder itself may be a link. A file that is not there is nobody's secret: its path is returned.
 *
 * @param where - what says the name, for the message.
 * @throws DataError as {@link safeRelative}, and for a link that leads out of the folder.
 */
export async function safePath(folder: string, name: string, where: string): Promise<string> {
  const path = join(folder, safeRelative(name, where));
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && !isInside(real, await realpath(folder)))
    throw new DataError({
      code: 'E_PATH_OUTSIDE',
      where,
      what: `${path} is a link that leads out of ${folder}`,
      fix: 'Copy the file to its place',
    });
  return path;
}

/** Whether a path is a folder or lies in it. Both are taken as they are written: links are the caller's. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}
