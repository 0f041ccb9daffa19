import { realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { DataError } from './errors/index.js';
import { safeRelative } from './safe-relative.js';

/**
 * Resolves an untrusted name to a path below a folder. Refuses names, and links, that lead outside; the folder itself may be a
 * link. The path of a missing file is returned unchecked, as there is nothing to disclose.
 *
 * @param where - origin of the name, for the message.
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

/** Whether a path is a folder or lies in it. Purely lexical: links are the caller's responsibility. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}
