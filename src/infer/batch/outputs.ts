import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftover, readableFileError, safeRelative, withFolderLock } from '../../util/index.js';

const OVERLAYS = 'overlays';
const MASKS = 'masks';

/** The folders that a batch fills in its output folder, the parts of `--shard` among them. */
export const batchFolders: readonly string[] = [OVERLAYS, MASKS, 'shards'];

/** Keeps others from filling an output folder meanwhile. */
export function withBatchLock<T>(out: string, body: () => Promise<T>): Promise<T> {
  const about = { where: out, doing: 'is writing results into it', instead: 'choose another folder' };
  return withFolderLock(join(out, '.lock'), about, body);
}

/**
 * The files of an image below an output folder, beside the lists of all images.
 *
 * @throws DataError for an id that leads out of the folder.
 */
export function outputNames(id: string, masks: number): string[] {
  return [overlayName(id), ...Array.from({ length: masks }, (_, k) => maskName(id, k))];
}

/** Where they are; as {@link outputNames}. */
export function outputsOf(out: string, id: string, masks: number): string[] {
  return outputNames(id, masks).map((name) => join(out, name));
}

export function overlayFile(out: string, id: string): string {
  return join(out, overlayName(id));
}

export function maskFile(out: string, id: string, k: number): string {
  return join(out, maskName(id, k));
}

function overlayName(id: string): string {
  return `${OVERLAYS}/${safeRelative(id, 'an image id')}.png`;
}

function maskName(id: string, k: number): string {
  return `${MASKS}/${safeRelative(id, 'an image id')}_${k}.png`;
}

/**
 * Makes the folder of a batch, sees that overlays can be written, and removes what a killed process was in the middle of writing.
 * Only for who holds its lock.
 *
 * @throws SonogroundError when it cannot be written.
 */
export async function prepareOutputs(out: string): Promise<void> {
  try {
    await mkdir(join(out, OVERLAYS), { recursive: true });
  } catch (cause) {
    throw readableFileError(join(out, OVERLAYS), cause);
  }
  const found = await Promise.all([
    temporaryFiles(out, false),
    temporaryFiles(join(out, OVERLAYS), true),
    temporaryFiles(join(out, MASKS), true),
  ]);
  for (const file of found.flat()) await rm(file, { force: true });
}

/** Links are not followed. */
async function temporaryFiles(dir: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(dir, { recursive, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile() && isLeftover(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}
