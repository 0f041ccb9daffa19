import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder to visit. */
interface Place {
  readonly path: string;
  /** Relative to the walked folder, ending in a slash unless empty. */
  readonly below: string;
}

/**
 * Lists everything below a folder that is not a folder: files and special entries (pipes, devices, broken links). Hidden names
 * are skipped. Links to folders are followed, but each folder is visited once: by the shortest path without links, if there is
 * one.
 *
 * @param onProblem - called for each unreadable folder.
 * @returns paths relative to the folder, with slashes.
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
