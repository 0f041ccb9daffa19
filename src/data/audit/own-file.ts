import { realpath } from 'node:fs/promises';
import { isInside } from '../../util/index.js';

/**
 * Whether a file lies in its dataset's folder, links followed. Files outside are never embedded in a shareable page: an untrusted
 * dataset must not select images from the rest of the disk. Missing files count as outside.
 *
 * @param file - may end in the number of an image in it, as in `film.dcm#3`.
 */
export async function isOwn(file: string, root: string): Promise<boolean> {
  const real = (path: string) => realpath(path).catch(() => undefined);
  const found = (await real(file)) ?? (await real(file.replace(/#[xyz]?\d+(t\d+)?$/, '')));
  return found === undefined || isInside(found, await realpath(root));
}
