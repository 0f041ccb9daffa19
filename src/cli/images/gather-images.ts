import { dirname, isAbsolute, join, resolve } from 'node:path';
import { splitAddress } from '../../imaging/index.js';
import { type BatchImage, batchFolders } from '../../infer/index.js';
import { isStoreAddress } from '../../stores/index.js';
import { type Logger, UsageError } from '../../util/index.js';
import { findImages } from './find-images.js';
import type { FoundImage } from './image-ids.js';
import { LazyStore, LocalFile } from './image-source.js';
import { type ListedImage, readList } from './read-list.js';
import { divideNames, isObjectAddress, namedObject, storedImages } from './stored-images.js';

/** The options that name images. */
export interface ImageOptions {
  readonly image: readonly string[] | undefined;
  readonly list: readonly string[] | undefined;
  readonly column: string | undefined;
}

/** Images, and the store that some of them are in. */
export interface Gathered {
  readonly images: readonly BatchImage[];
  /** Whether some are in a store. */
  readonly stored: boolean;
  readonly store: LazyStore;
}

/** The listing of a store, in the output folder. */
const LISTING = 'listing.csv';

/**
 * Finds the images that are named directly, by lists, and by folders of a store.
 *
 * @param out - the output folder: it is not searched for images, and the listing of a store is kept in it.
 * @throws UsageError when nothing is named, or there is no image.
 */
export async function gatherImages(
  { image = [], list = [], column }: ImageOptions,
  { out, logger }: { readonly out: string; readonly logger: Logger },
): Promise<Gathered> {
  requireNames(image, list, column);
  const store = new LazyStore();
  const { local, stored } = divideNames(image);
  const listed: FoundImage[] = [];
  const folders: string[] = [];
  const add = (address: ListedImage, alone: boolean) => {
    if (address.etag !== undefined || isObjectAddress(address.name)) listed.push(namedObject(store, address, alone));
    else folders.push(address.name);
  };
  for (const name of stored) add({ name }, true);
  for (const file of list) {
    const before = listed.length + folders.length;
    for await (const line of readList(file, column)) {
      if (isStoreAddress(line.name)) add(line, false);
      else listed.push(await localFile(line.name, file));
    }
    if (listed.length + folders.length === before)
      throw new UsageError({ code: 'E_NO_IMAGES', where: file, what: 'the list is empty', fix: 'Write one image a line' });
  }
  if (folders.length > 0) listed.push(...(await storedImages(folders, { file: join(out, LISTING), store, logger })));
  const isStored = listed.some(({ path }) => isStoreAddress(path));
  // Opened here, so that missing settings are reported before any model is loaded.
  if (isStored && (await store.get()).unencrypted)
    logger.warn(`images from ${(await store.get()).endpoint} are transmitted without encryption: use https://`);
  const skip = batchFolders.map((folder) => join(out, folder));
  return { images: await findImages(local, { skip, logger, listed }), stored: isStored, store };
}

/** Names in a list are relative to its folder. */
async function localFile(name: string, list: string): Promise<FoundImage> {
  const path = isAbsolute(name) || list === '-' ? name : join(dirname(list), name);
  const { file, part } = await splitAddress(path);
  return { path, below: name, source: await LocalFile.at(resolve(file), part?.text.slice(1)) };
}

function requireNames(image: readonly string[], list: readonly string[], column: string | undefined): void {
  if (image.length + list.length === 0)
    throw new UsageError({
      code: 'E_OPTION_MISSING',
      where: '--image',
      what: 'no image was named',
      fix: 'Give --image FILE, a folder or s3://bucket/folder/, or --list FILE',
    });
  if (column !== undefined && !list.some((file) => /\.[ct]sv$/i.test(file)))
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--column',
      what: 'it is for a table',
      fix: 'Give --list FILE.csv, or leave it out',
    });
}
