import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { DataError, unreadableCode } from '../../util/index.js';

/** Maximum folder depth below the imported folder. */
const MAX_DEPTH = 8;

/** Files left behind by operating systems and archivers. */
const LITTER = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i;

/** One file of a dataset. */
export interface TreeFile {
  /** Its path on disk. */
  readonly path: string;
  /** Relative to the imported folder, with `/` on every system. */
  readonly relative: string;
  /** `relative` prefixed by the imported folder's name, so that patterns match one level too deep as well. */
  readonly full: string;
}

/** The files of a folder, listed once, in natural order. */
export class FileTree {
  readonly root: string;
  readonly files: readonly TreeFile[];
  private byPath: ReadonlyMap<string, TreeFile> | undefined;

  private constructor(root: string, files: readonly TreeFile[]) {
    this.root = root;
    this.files = files;
  }

  /** @throws DataError when the folder is missing, a file, or an archive. */
  static async open(root: string): Promise<FileTree> {
    const info = await stat(root).catch(() => undefined);
    if (info === undefined)
      throw new DataError({
        code: 'E_FILE_NOT_FOUND',
        where: root,
        what: 'there is no such folder',
        fix: 'Check the path of --from',
      });
    if (!info.isDirectory()) {
      const archive = ARCHIVE.test(root);
      throw new DataError({
        code: archive ? 'E_DATASET_PACKED' : 'E_FILE_KIND',
        where: root,
        what: archive ? 'it is an archive' : 'it is a file, not a folder',
        fix: archive ? 'Unpack it and name the folder' : 'Name the folder of the unpacked dataset',
      });
    }
    const files: TreeFile[] = [];
    await walk(root, '', basename(resolve(root)), files, new Set(), 0);
    return new FileTree(root, files);
  }

  /** The file at a path below the root, ignoring case. */
  at(relative: string): TreeFile | undefined {
    this.byPath ??= new Map(this.files.map((file) => [file.relative.toLowerCase(), file]));
    return this.byPath.get(relative.toLowerCase());
  }

  /** Archives in the folder that are still packed. */
  get archives(): readonly TreeFile[] {
    return this.files.filter(({ relative }) => ARCHIVE.test(relative));
  }
}

/** Archive extensions; individually compressed NIfTI files are not archives. */
const ARCHIVE = /(?<!\.nii)\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$/i;

const collator = new Intl.Collator('en', { numeric: true });

/** Natural order: 2 before 10. */
export function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}

async function walk(
  dir: string,
  relative: string,
  top: string,
  files: TreeFile[],
  seen: Set<string>,
  depth: number,
): Promise<void> {
  // A link to a parent folder would recurse for ever.
  const real = await realpath(dir);
  if (seen.has(real)) return;
  seen.add(real);
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({
      code: unreadableCode(cause),
      where: dir,
      what: `the folder cannot be read (${cause.code})`,
      fix: 'Check its permissions',
      cause,
    });
  });
  for (const entry of entries.sort((a, b) => naturalOrder(a.name, b.name))) {
    if (LITTER.test(entry.name)) continue;
    const path = join(dir, entry.name);
    const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
    const info = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (info?.isDirectory() && depth < MAX_DEPTH) await walk(path, below, top, files, seen, depth + 1);
    else if (info?.isFile()) files.push({ path, relative: below, full: `${top}/${below}` });
  }
}
