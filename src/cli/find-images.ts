import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { glob } from 'tinyglobby';
import type { BatchImage } from '../infer/index.js';
import { isUnnamedFilm, listPictures, pictureStem } from '../processing/index.js';
import { UsageError } from '../util/index.js';

const ENDINGS = ['png', 'jpg', 'jpeg', 'bmp', 'tif', 'tiff', 'webp', 'dcm', 'dicom', 'ima', 'nii', 'nii.gz'];
/** All files: DICOM often comes without an ending and is told by its content. */
const IMAGES = '**/*';

/** Whatever has a special meaning in a glob. */
const MAGIC = /[*?{}[\]()!]/;

/**
 * The pictures that names, folders and globs stand for, each once, in natural order. Folders are searched with all that is
 * below them; hidden files are not. DICOM is found without an ending too. A file of several pictures (a DICOM film, a TIFF of
 * pages, a NIfTI volume) stands for all of them, as `film.dcm#0`, `film.dcm#1` and so on. A name that leads nowhere stays in the
 * list, so that it is reported like any other file that cannot be read.
 *
 * An image's id is its path below the folder, or below the fixed part of the glob, without its ending. Where two would share
 * one, the ending is added, and where that does not help, a few digits of a hash of the path.
 *
 * @param skip - folders whose images are not meant: what the command wrote itself.
 * @throws UsageError when a folder or glob holds no image.
 */
export async function findImages(names: readonly string[], skip: readonly string[] = []): Promise<BatchImage[]> {
  const skipped = skip.map((folder) => resolve(folder) + sep);
  const lists = await Promise.all(names.map((name) => expand(name, skipped)));
  const distinct = [...new Map(lists.flat().map((found) => [resolve(found.path), found])).values()];
  const pictures: Found[] = [];
  // One after the other: films and volumes are large.
  for (const found of distinct) pictures.push(...(await picturesOf(found)));
  const order = new Intl.Collator('en', { numeric: true });
  return named(pictures).sort((a, b) => order.compare(a.path, b.path));
}

interface Found {
  readonly path: string;
  /** Below the folder that was asked for, with slashes. */
  readonly below: string;
}

async function picturesOf({ path, below }: Found): Promise<Found[]> {
  const pictures = await listPictures(path);
  return pictures.map((picture) => ({ path: picture, below: `${below}${picture.slice(path.length)}` }));
}

async function expand(name: string, skipped: readonly string[]): Promise<Found[]> {
  const info = await stat(name).catch(() => undefined);
  if (info?.isFile()) return [{ path: name, below: basename(name) }];
  if (info?.isDirectory()) return search(name, IMAGES, name, skipped);
  if (!MAGIC.test(name)) return [{ path: name, below: basename(name) }];
  const steps = name.split(/[\\/]/);
  const fixed = steps.findIndex((step) => MAGIC.test(step));
  const folder = fixed === 0 ? '.' : steps.slice(0, fixed).join('/') || '/';
  return search(folder, steps.slice(fixed).join('/'), name, skipped);
}

async function search(folder: string, pattern: string, asked: string, skipped: readonly string[]): Promise<Found[]> {
  const files = await glob(pattern, { cwd: folder, caseSensitiveMatch: false, expandDirectories: false });
  const candidates = files
    .map((file) => ({ path: join(folder, file), below: file }))
    .filter(({ path }) => !skipped.some((prefix) => resolve(path).startsWith(prefix)));
  const images: Found[] = [];
  for (const file of candidates)
    if (hasEnding(file.below) || (await isUnnamedFilm(file.path).catch(() => false))) images.push(file);
  if (images.length > 0) return images;
  throw new UsageError({
    where: asked,
    what: 'there is no image here',
    fix: `Name a file, a folder with images (${ENDINGS.join(', ')}), or a glob in quotes`,
  });
}

function hasEnding(file: string): boolean {
  return ENDINGS.some((ending) => file.toLowerCase().endsWith(`.${ending}`));
}

function named(files: readonly Found[]): BatchImage[] {
  const tries = [
    ({ below }: Found) => withoutEnding(below),
    ({ below }: Found) => `${withoutEnding(below)}-${extname(below).slice(1).replace(/#.*/, '')}`,
    ({ path, below }: Found) => `${withoutEnding(below)}-${createHash('sha256').update(resolve(path)).digest('hex').slice(0, 8)}`,
  ];
  const ids = new Map<Found, string>();
  for (const idOf of tries) {
    const open = files.filter((file) => !ids.has(file));
    // File systems may not tell capitals apart.
    const counts = new Map<string, number>();
    for (const id of [...open.map(idOf), ...ids.values()]) counts.set(id.toLowerCase(), (counts.get(id.toLowerCase()) ?? 0) + 1);
    for (const file of open) if (counts.get(idOf(file).toLowerCase()) === 1) ids.set(file, idOf(file));
  }
  return files.map((file) => ({ path: file.path, id: ids.get(file) ?? withoutEnding(file.below), fileName: file.below }));
}

function withoutEnding(file: string): string {
  const folder = dirname(file);
  const stem = pictureStem(file);
  return folder === '.' ? stem : `${folder.split(sep).join('/')}/${stem}`;
}
