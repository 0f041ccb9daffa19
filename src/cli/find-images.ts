import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import { listPictures } from '../processing/index.js';
import { UsageError } from '../util/index.js';

const IMAGE_PATTERN = '*.{png,jpg,jpeg,bmp,tif,tiff,webp,dcm,dicom,ima,nii,nii.gz}';

/**
 * The pictures that names, folders and globs stand for, in natural order: a file of several (a DICOM film, a TIFF of pages, a
 * NIfTI volume) stands for all of them, as `film.dcm#0`, `film.dcm#1` and so on. A name that leads nowhere stays in the list,
 * so that it is reported like any other file that cannot be read.
 *
 * @throws UsageError when a folder or glob holds no image.
 */
export async function findImages(names: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(names.map(expand));
  const files = [...new Set(lists.flat())].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const pictures: string[] = [];
  // One after the other: films and volumes are large.
  for (const file of files) pictures.push(...(await listPictures(file)));
  return pictures;
}

async function expand(name: string): Promise<string[]> {
  const info = await stat(name).catch(() => undefined);
  if (info?.isFile()) return [name];
  if (info?.isDirectory())
    return found(
      name,
      (await glob(IMAGE_PATTERN, { cwd: name, caseSensitiveMatch: false })).map((file) => join(name, file)),
    );
  return /[*?{[]/.test(name) ? found(name, await glob(name)) : [name];
}

function found(name: string, files: string[]): string[] {
  if (files.length === 0)
    throw new UsageError({
      where: name,
      what: 'there is no image here',
      fix: 'Name a file, a folder with images, or a glob in quotes',
    });
  return files;
}
