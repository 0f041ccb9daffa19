import { copyFile, link, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { temporaryPath } from '../../util/index.js';

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
