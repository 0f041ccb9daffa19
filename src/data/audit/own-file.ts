import { realpath } from 'node:fs/promises';
import { isInside } from '../../util/index.js';

/**
 * Whether a file of a dataset lies in its folder, links followed. What does not is never put into a page that is passed on: a
 * dataset of somebody else must not choose pictures from the rest of the disk. A file that is not there shows nothing.
 *
 * @param file - may end in the number of a picture in it, as in `film.dcm#3`.
 */
export async function isOwn(file: string, root: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => undefined);
  const found = (await real(file)) ?? (await real(file.replace(/#[xyz]?\d+(t\d+)?$/, '')));
  return found === undefined || isInside(found, await realpath(root));
}
