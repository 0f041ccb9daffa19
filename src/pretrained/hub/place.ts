import { copyFile, link, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { temporaryPath } from '../../util/index.js';

/** Ways to let a path show a file: `(file, path) => …`, best first. */
export type Ways = readonly ((file: string, path: string) => Promise<void>)[];

/** As upstream does it; without links, as on some Windows, a second name or a copy. */
export const snapshotWays: Ways = [
  (file, path) => symlink(relative(dirname(path), file), path),
  link,
  (file, path) => copyFile(file, path),
];

/** A copy that does not change with the cache. */
export const copyWays: Ways = [(file, path) => copyFile(file, path)];

/** A second name for a file that nobody edits in place. */
export const linkWays: Ways = [link, (file, path) => copyFile(file, path)];

/** Puts a file at a path in the first way that works, in one step; what was there is replaced. Folders are made. */
export async function place(file: string, path: string, ways: Ways): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryPath(path);
  try {
    await inFirstWay(file, temporary, ways);
    await rename(temporary, path);
  } finally {
    // Renaming one name of a file to another of its names does nothing, and leaves both.
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
