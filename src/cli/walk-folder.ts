import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder on the way. */
interface Place {
  readonly path: string;
  /** Below the folder that is walked, with a slash at the end unless it is that. */
  readonly below: string;
}

/**
 * Lists what is in a folder and below it that is no folder: files, and what only bears the name of one (pipes, devices, links
 * that lead nowhere). Hidden names are left out. Links to folders are followed, but a folder is entered once: by the shortest
 * way that does without links, if there is one.
 *
 * @param onProblem - told of each folder that cannot be read.
 * @returns paths below the folder, with slashes.
 */
export async function walkFolder(folder: string, onProblem: (message: string) => void): Promise<string[]> {
  const found: string[] = [];
  const entered = new Set<string>();
  let level: Place[] = [{ path: folder, below: '' }];
  let linked: Place[] = [];
  while (level.length > 0) {
    const next: Place[] = [];
    for (const place of level) {
      const entries = await entriesOf(place, entered, onProblem);
      for (const entry of entries) {
        if (entry.name.startsWith('.')) continue;
        const path = join(place.path, entry.name);
        const below = `${place.below}${entry.name}`;
        if (entry.isDirectory()) next.push({ path, below: `${below}/` });
        else if (entry.isSymbolicLink() && (await isFolder(path))) linked.push({ path, below: `${below}/` });
        else found.push(below);
      }
    }
    if (next.length > 0) level = next;
    else [level, linked] = [linked, []];
  }
  return found;
}

async function entriesOf(
  { path }: Place,
  entered: Set<string>,
  onProblem: (message: string) => void,
): Promise<readonly Dirent[]> {
  try {
    const real = await realpath(path);
    if (entered.has(real)) return [];
    entered.add(real);
    return (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    onProblem(`${path}: it cannot be read (${(error as NodeJS.ErrnoException).code}) and is skipped`);
    return [];
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
