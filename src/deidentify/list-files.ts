import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** The files of a folder. */
export interface FileList {
  /** Relative paths with slashes, sorted: files, and links and special files, which are refused by name later. */
  readonly files: readonly string[];
  /** Number of hidden files, which are left out: those of file managers and version control. */
  readonly hidden: number;
}

/** Lists everything in a folder and the folders below it. Links to folders are listed, not followed. */
export async function listFiles(folder: string): Promise<FileList> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  let hidden = 0;
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (path.split('/').some((part) => part.startsWith('.'))) hidden++;
    else files.push(path);
  }
  return { files: files.sort(), hidden };
}
