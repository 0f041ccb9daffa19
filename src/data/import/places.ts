import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { DataError } from '../../util/index.js';

/**
 * Refuses a target inside the source and a source inside the target: sources are never written to.
 *
 * @throws DataError
 */
export async function checkPlaces(from: string, to: string): Promise<void> {
  const [source, target] = await Promise.all([real(from), real(to)]);
  if (inside(target, source))
    throw new DataError({
      code: 'E_INPUT_IS_OUTPUT',
      where: to,
      what: 'it lies in the folder that is imported',
      fix: 'Choose a --to outside of --from',
    });
  if (inside(source, target))
    throw new DataError({
      code: 'E_INPUT_IS_OUTPUT',
      where: to,
      what: 'the folder that is imported lies in it',
      fix: 'Choose a --to that does not hold --from',
    });
}

/** Resolves a path, following links as far as it exists. */
async function real(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(await real(parent), basename(whole));
  }
}

function inside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}
