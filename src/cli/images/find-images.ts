import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isUnnamedDicom, listImages } from '../../imaging/index.js';
import type { BatchImage } from '../../infer/index.js';
import { type Logger, silentLogger, UsageError } from '../../util/index.js';
import { expandName, liesIn, placeOf, realPathOf } from './expand-name.js';
import { hasImageExtension, imageExtensions } from './image-extensions.js';
import { type FoundImage, namedImages } from './image-ids.js';

export interface FindOptions {
  /** Folders to exclude, such as the command's own output, also when reached by a link. */
  readonly skip?: readonly string[];
  /** Images from lists and stores, which are not looked for. */
  readonly listed?: readonly FoundImage[];
  readonly logger?: Logger;
}

/**
 * Expands names, folders and globs to images, each once, in natural order. Folders are searched recursively, without hidden
 * files. DICOM is also recognised without an extension. A file of several images (a DICOM cine clip, a multi-page TIFF, a NIfTI
 * volume) expands to all of them, as `film.dcm#0`, `film.dcm#1` and so on. A missing file, pipe or device stays in the list, so
 * that it is reported like any other unreadable file.
 *
 * An image's id is its path relative to the folder, or to the fixed part of the glob; see {@link namedImages}.
 *
 * @throws UsageError when a folder or glob contains no image, and for a file written by the command itself.
 */
export async function findImages(
  names: readonly string[],
  { skip = [], listed = [], logger = silentLogger }: FindOptions = {},
): Promise<BatchImage[]> {
  const own = await Promise.all(skip.map(realPathOf));
  const distinct = new Map<string, FoundImage>();
  for (const name of names)
    for (const found of await expand(name, own, logger)) {
      const place = await placeOf(found.path);
      if (!distinct.has(place)) distinct.set(place, found);
    }
  const images: FoundImage[] = [];
  // Sequential, as cine clips and volumes are large.
  for (const found of distinct.values()) images.push(...(await expandSeveral(found)));
  const seen = new Set(images.map(({ path }) => path));
  for (const image of listed) {
    if (!seen.has(image.path)) images.push(image);
    seen.add(image.path);
  }
  const order = new Intl.Collator('en', { numeric: true });
  return namedImages(images).sort((a, b) => order.compare(a.path, b.path));
}

async function expandSeveral({ path, below }: FoundImage): Promise<FoundImage[]> {
  const info = await stat(path).catch(() => undefined);
  // Reading a pipe or a device may block or never end.
  if (info !== undefined && !info.isFile()) return [{ path, below }];
  const images = await listImages(path);
  return images.map((image) => ({ path: image, below: `${below}${image.slice(path.length)}` }));
}

async function expand(name: string, own: readonly string[], logger: Logger): Promise<FoundImage[]> {
  const expanded = await expandName(name, logger);
  if (expanded.kind === 'files') return imagesAmong(expanded, name, own, logger);
  const { path } = expanded;
  if (!(await liesIn(path, own))) return [{ path, below: basename(path) }];
  throw new UsageError({
    code: 'E_INPUT_IS_OUTPUT',
    where: path,
    what: 'it is a result of this very command',
    fix: 'Choose another --out',
  });
}

async function imagesAmong(
  { files, folder }: { readonly files: readonly string[]; readonly folder: string },
  asked: string,
  own: readonly string[],
  logger: Logger,
): Promise<FoundImage[]> {
  const images: FoundImage[] = [];
  let results = 0;
  for (const below of files) {
    const path = join(folder, below);
    if (!hasImageExtension(below) && !(await isUnnamedDicom(path).catch(() => false))) continue;
    if (await liesIn(path, own)) results += 1;
    else images.push({ path, below });
  }
  if (results > 0) logger.info(`${asked}: ${results} results of this command in it are skipped`);
  if (images.length > 0) return images;
  throw new UsageError({
    code: 'E_NO_IMAGES',
    where: asked,
    what: `there is no image here${results > 0 ? ' but the results of this very command' : ''}`,
    fix: `Name a file, a folder with images (${imageExtensions.join(', ')}), or a glob in quotes`,
  });
}
