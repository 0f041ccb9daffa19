import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { beginsAsDicom, DICOM_START, isDicomDirectory, lacksEnding } from '../../imaging/index.js';
import { isStoreAddress, parseStoreAddress, type S3Store, type StoredObject } from '../../stores/index.js';
import { type Logger, UsageError, writeFileAtomic } from '../../util/index.js';
import { hasImageExtension } from './image-extensions.js';
import type { FoundImage } from './image-ids.js';
import { type LazyStore, StoredFile } from './image-source.js';
import { type ListedImage, readList } from './read-list.js';

/** Objects without an extension whose first bytes are requested at once. */
const AT_ONCE = 16;

/** How often progress of a long listing is reported. */
const REPORTED = 100_000;

/** Whether an address is that of one object, as far as can be told without a request. */
export function isObjectAddress(address: string): boolean {
  return hasImageExtension(address.replace(/#[xyz]?\d+(t\d+)?$/, ''));
}

/** An object that was named, possibly with one of its images: `s3://bucket/clip.dcm#3`. */
export function namedObject(store: LazyStore, { name, below, etag }: ListedImage, alone: boolean): FoundImage {
  // Of a listing, the key is known to be one.
  const [, file = name, part] = (etag === undefined && /^(.+)#([xyz]?\d+(?:t\d+)?)$/.exec(name)) || [];
  const { key } = parseStoreAddress(file);
  return { path: name, below: below ?? (alone ? basename(key) : key), source: new StoredFile(store, file, etag, part) };
}

/**
 * Lists the images in folders of a store. The listing is kept in a file and used again by the next call with the same folders, so
 * that neither a restart nor the other shards list the store again.
 *
 * @param file - a table that `readList` reads.
 * @throws UsageError when a folder holds no image; StoreError and DataError as by the store.
 */
export async function storedImages(
  folders: readonly string[],
  { file, store, logger }: { readonly file: string; readonly store: LazyStore; readonly logger: Logger },
): Promise<FoundImage[]> {
  const wanted = [...new Set(folders)];
  const kept = await keptListing(file, wanted);
  if (kept !== undefined) {
    const date = (await stat(file)).mtime.toISOString().slice(0, 16).replace('T', ' ');
    logger.info(`${kept.length} images by the listing of ${date} in ${file}; delete it to list the store again`);
    return kept.map((image) => namedObject(store, image, false));
  }
  const listed: ListedImage[] = [];
  for (const folder of wanted) listed.push(...(await listFolder(await store.get(), folder, logger)));
  const rows = listed.map(
    ({ name, below = '', etag = '', listed: of = '' }) => `${[name, below, etag, of].map(quoted).join(',')}\n`,
  );
  await writeFileAtomic(file, async (handle) => {
    await handle.writeFile('image,below,etag,listed\n');
    for (let i = 0; i < rows.length; i += 1000) await handle.writeFile(rows.slice(i, i + 1000).join(''));
  });
  logger.info(`${listed.length} images found in the store; the listing is kept in ${file}`);
  return listed.map((image) => namedObject(store, image, false));
}

async function keptListing(file: string, wanted: readonly string[]): Promise<ListedImage[] | undefined> {
  if ((await stat(file).catch(() => undefined)) === undefined) return undefined;
  const images: ListedImage[] = [];
  for await (const image of readList(file, 'image')) images.push(image);
  const of = new Set(images.map(({ listed = '' }) => listed));
  return of.size === wanted.length && wanted.every((folder) => of.has(folder)) ? images : undefined;
}

async function listFolder(store: S3Store, folder: string, logger: Logger): Promise<ListedImage[]> {
  const { key: prefix } = parseStoreAddress(folder);
  const inside = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const images: ListedImage[] = [];
  let unsure: StoredObject[] = [];
  let others = 0;
  const take = ({ address, key, etag }: StoredObject) => {
    images.push({ name: address, below: key === prefix ? basename(key) : key.slice(inside.length), etag, listed: folder });
    if (images.length % REPORTED === 0) logger.info(`${folder}: ${images.length} images so far`);
  };
  const decide = async () => {
    const dicom = await Promise.all(unsure.map((object) => isDicomObject(store, object)));
    for (const [i, object] of unsure.entries()) {
      if (dicom[i]) take(object);
      else others += 1;
    }
    unsure = [];
  };
  for await (const object of store.list(folder)) {
    const { key, bytes } = object;
    if ((key !== prefix && !key.startsWith(inside)) || key.endsWith('/')) continue;
    if (
      key
        .slice(inside.length)
        .split('/')
        .some((step) => step.startsWith('.') && !/^\.\.?$/.test(step))
    )
      others += 1;
    else if (hasImageExtension(key)) take(object);
    else if (bytes > 0 && lacksEnding(key)) unsure.push(object);
    else others += 1;
    if (unsure.length === AT_ONCE) await decide();
  }
  await decide();
  if (others > 0) logger.info(`${folder}: ${others} objects that are no images are left out`);
  if (images.length > 0) return images;
  throw new UsageError({
    code: 'E_NO_IMAGES',
    where: folder,
    what: `there is no image here, at ${store.endpoint}`,
    fix: 'Name an object, or a folder with images; keys are case-sensitive',
  });
}

/** Scanners and archives often leave out extensions. */
async function isDicomObject(store: S3Store, { address }: StoredObject): Promise<boolean> {
  const start = await store.read(address, { first: DICOM_START });
  return beginsAsDicom(start) && !isDicomDirectory(start);
}

function quoted(value: string): string {
  return /[",;\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Splits names into those of this machine and those of a store. */
export function divideNames(names: readonly string[]): { readonly local: string[]; readonly stored: string[] } {
  return { local: names.filter((name) => !isStoreAddress(name)), stored: names.filter(isStoreAddress) };
}
