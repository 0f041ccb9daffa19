import { stat } from 'node:fs/promises';
import { decodeImage, type ImageSet, openImages, type RasterImage, splitAddress } from '../../imaging/index.js';
import { DataError } from '../../util/index.js';
import type { BatchImage } from './batch-image.js';
import { imageKey } from './settings.js';

/** The images of an opened file: one, or the frames of a cine clip, the pages of a TIFF, the slices of a volume. */
export interface OpenedImages {
  /** Hash of the file and the settings, taken before it was read. */
  readonly key: string;
  readonly images: readonly OpenedImage[];
}

export interface OpenedImage extends Omit<BatchImage, 'source'> {
  /** For one of several images of one file: the file, and how many it holds. */
  readonly of?: { readonly id: string; readonly count: number };
  /** Decodes it. */
  raster(): Promise<RasterImage>;
}

/** As for files: the largest image that is decoded, and the largest volume. */
const LIMITS = { pixels: 100_000_000, unpackedBytes: 2 ** 31 - 1 };

/**
 * Opens an image and decodes the first one in it.
 *
 * @param settings - hash of the settings.
 * @param isTaken - whether an id belongs to another image.
 * @throws DataError when it cannot be read.
 */
export async function openImage(
  image: BatchImage,
  settings: string,
  { signal, isTaken }: { readonly signal: AbortSignal; readonly isTaken: (id: string) => boolean },
): Promise<OpenedImages> {
  const key = (await imageKey(image, settings)) ?? '';
  const { source, ...own } = image;
  if (source === undefined) {
    await requireFile(image.path);
    const raster = await decodeImage(image.path);
    return { key, images: [{ ...own, raster: async () => raster }] };
  }
  const bytes = await source.read(signal);
  return naming(image.path, async () => {
    const set = await openImages(bytes, LIMITS, image.fileName);
    const parts = source.part === undefined && set.count > 1 ? addressesOf(set) : [source.part];
    const first = await set.image(parts[0]);
    const decode = (i: number) => (i === 0 ? Promise.resolve(first) : naming(image.path, () => set.image(parts[i])));
    if (parts.length === 1) return { key, images: [{ ...own, raster: () => decode(0) }] };
    const images = parts.map((part = '', i) => {
      const of = { id: image.id, count: parts.length };
      return { ...partOf(image, part, isTaken), of, raster: () => decode(i) };
    });
    return { key, images };
  });
}

/** As a local file of several images would be named. */
function partOf({ path, id, fileName }: BatchImage, part: string, isTaken: (id: string) => boolean): Omit<BatchImage, 'source'> {
  const plain = `${id}_${part}`;
  return { path: `${path}#${part}`, id: isTaken(plain) ? `${id}-part_${part}` : plain, fileName: `${fileName}#${part}` };
}

function addressesOf(set: ImageSet): string[] {
  return Array.from({ length: set.count }, (_, i) => set.address(i));
}

/** What reads images in memory does not know their names. */
async function naming<T>(where: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { code, what, fix } = error;
    throw new DataError({ code, where, what, ...(fix === undefined ? {} : { fix }), cause: error });
  }
}

/** A pipe or device may yield nothing, or never end. */
async function requireFile(path: string): Promise<void> {
  const info = await stat((await splitAddress(path)).file).catch(() => undefined);
  if (info !== undefined && !info.isFile())
    throw new DataError({
      code: 'E_FILE_KIND',
      where: path,
      what: 'it is not a file',
      fix: 'Name image files, or folders that hold them',
    });
}
