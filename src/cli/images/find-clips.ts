import { basename, dirname, join, resolve } from 'node:path';
import { holdsClip, isImageName } from '../../imaging/index.js';
import type { BatchImage } from '../../infer/index.js';
import { type Logger, silentLogger, UsageError } from '../../util/index.js';
import { expandName, liesIn, placeOf, realPathOf } from './expand-name.js';
import type { FindOptions } from './find-images.js';
import { type FoundImage, namedImages } from './image-ids.js';

/**
 * Expands names, folders and globs to clips, in natural order. In a folder, searched recursively, every file of several frames is
 * a clip, and so is a folder of single images. A named file is a clip whatever it holds, so that a wrong one is reported.
 *
 * @throws UsageError when a folder or glob contains no clip.
 */
export async function findClips(
  names: readonly string[],
  { skip = [], logger = silentLogger }: FindOptions = {},
): Promise<BatchImage[]> {
  const own = await Promise.all(skip.map(realPathOf));
  const found = new Map<string, FoundImage>();
  for (const name of names)
    for (const clip of await expand(name, own, logger)) {
      const place = await placeOf(clip.path);
      if (!found.has(place)) found.set(place, clip);
    }
  const order = new Intl.Collator('en', { numeric: true });
  return namedImages([...found.values()]).sort((a, b) => order.compare(a.path, b.path));
}

async function expand(name: string, own: readonly string[], logger: Logger): Promise<FoundImage[]> {
  const expanded = await expandName(name, logger);
  if (expanded.kind === 'files') return clipsAmong(expanded, name, own, logger);
  return [{ path: expanded.path, below: basename(expanded.path) }];
}

async function clipsAmong(
  { files, folder }: { readonly files: readonly string[]; readonly folder: string },
  asked: string,
  own: readonly string[],
  logger: Logger,
): Promise<FoundImage[]> {
  const clips: FoundImage[] = [];
  const singles = new Map<string, number>();
  const mixed = new Set<string>();
  for (const below of files) {
    const path = join(folder, below);
    if (await liesIn(path, own)) continue;
    if (await holdsClip(path).catch(() => false)) {
      clips.push({ path, below });
      mixed.add(dirname(below));
    } else if (isImageName(below)) singles.set(dirname(below), (singles.get(dirname(below)) ?? 0) + 1);
  }
  for (const [below, count] of singles)
    if (mixed.has(below))
      logger.warn(`${join(folder, below)}: ${count} images beside clips are left out: give frames a folder of their own`);
    else clips.push({ path: join(folder, below), below: below === '.' ? basename(resolve(folder)) : below });
  if (clips.length > 0) return clips;
  throw new UsageError({
    code: 'E_NO_IMAGES',
    where: asked,
    what: 'there is no clip here',
    fix: 'Name a DICOM or TIFF file of several frames, an animated WebP or GIF, a video, or a folder of numbered frames',
  });
}
