import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftover, type Logger, readableFileError, safeRelative, silentLogger, withFolderLock } from '../../util/index.js';
import type { ResultsForm } from './results-form.js';

const OVERLAYS = 'overlays';
const MASKS = 'masks';

/** The subfolders that a batch writes in its output folder, including the parts of `--shard`. */
export const batchFolders: readonly string[] = [OVERLAYS, MASKS, 'dicom', 'shards'];

/** Locks an output folder against other processes while `body` runs. */
export function withBatchLock<T>(out: string, body: () => Promise<T>, logger: Logger = silentLogger): Promise<T> {
  const onWait = (message: string) => logger.info(message);
  const about = { where: out, doing: 'is writing results into it', instead: 'choose another folder', onWait };
  return withFolderLock(join(out, '.lock'), about, body);
}

/** The files of an image, relative to the output folder, besides the lists of all images. */
export function outputNames(id: string, masks: number): string[] {
  return [overlayName(id), ...Array.from({ length: masks }, (_, k) => maskName(id, k))];
}

/** The same files as absolute paths; see {@link outputNames}. */
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

/** Ignores files that cannot be removed: they cannot be replaced either, which is reported when the image is written. */
export async function removeOutputs(out: string, id: string, masks: number): Promise<void> {
  await Promise.all(outputsOf(out, id, masks).map((file) => rm(file, { force: true }).catch(() => {})));
}

/**
 * Creates the folder of a batch, checks that overlays can be written, and removes temporary files of a killed process. The caller
 * holds the folder's lock.
 *
 * @throws SonogroundError when it cannot be written.
 */
export async function prepareOutputs(out: string, results: ResultsForm): Promise<void> {
  const folder = results === 'files' ? join(out, OVERLAYS) : out;
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw readableFileError(folder, cause);
  }
  const found = await Promise.all([
    temporaryFiles(out, false),
    temporaryFiles(join(out, OVERLAYS), true),
    temporaryFiles(join(out, MASKS), true),
  ]);
  for (const file of found.flat()) await rm(file, { force: true });
}

/** Does not follow links. */
async function temporaryFiles(dir: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(dir, { recursive, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile() && isLeftover(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}
