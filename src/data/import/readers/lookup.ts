import type { FileTree, TreeFile } from '../file-tree.js';

/** Finds files by name alone, ignoring case and folder; of several, the one nearest to the root. */
export class FileLookup {
  private readonly byName = new Map<string, TreeFile>();
  private readonly used = new Set<TreeFile>();
  private readonly files: readonly TreeFile[];

  /** @param files - the files to search. */
  constructor(files: readonly TreeFile[]) {
    this.files = files;
    for (const file of files) {
      const name = keyOf(file.relative);
      const other = this.byName.get(name);
      if (other === undefined || depth(file) < depth(other)) this.byName.set(name, file);
    }
  }

  /** @param name - a file name, with or without extension and leading folders. */
  find(name: string): TreeFile | undefined {
    const file = this.byName.get(keyOf(name));
    if (file !== undefined) this.used.add(file);
    return file;
  }

  /** Files that were never looked up. */
  unused(): TreeFile[] {
    return this.files.filter((file) => !this.used.has(file));
  }
}

/** The tables of a folder, nearest to the root first. */
export function tablesOf({ files }: FileTree, name: RegExp): TreeFile[] {
  return files
    .filter(({ relative }) => /\.(csv|xlsx)$/i.test(relative) && name.test(relative.slice(relative.lastIndexOf('/') + 1)))
    .sort((a, b) => depth(a) - depth(b));
}

function keyOf(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name
    .normalize('NFC')
    .toLowerCase()
    .replace(/\.(png|jpe?g|bmp|tiff?|webp)$/, '');
}

function depth({ relative }: TreeFile): number {
  return relative.split('/').length;
}
