import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { copyWays, linkWays, place, readableDiskError } from './disk.js';
import type { DownloadedModel } from './download-model.js';
import { HubError } from './hub-error.js';

/** Larger files are hard-linked instead of copied: nobody edits weights in place. */
const LARGEST_COPY = 16 << 20;

/**
 * Creates the target folder of {@link exportFiles} in advance, to fail early.
 *
 * @throws HubError when it cannot be created.
 */
export async function prepareFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    throw readableDiskError(error, dir);
  }
}

/**
 * Copies the files of a model into a plain folder.
 *
 * @throws HubError when a different file of the same name exists (before anything is written), or the folder is not writable.
 */
export async function exportFiles({ folder, files }: Pick<DownloadedModel, 'folder' | 'files'>, dir: string): Promise<void> {
  const missing: { from: string; to: string; size: number }[] = [];
  for (const name of files) {
    // Resolves the link: a hard link to a relative symbolic link would be broken.
    const from = await realpath(join(folder, name));
    const to = join(dir, name);
    if (!(await isSame(from, to))) missing.push({ from, to, size: (await stat(from)).size });
  }
  try {
    for (const { from, to, size } of missing) await place(from, to, size > LARGEST_COPY ? linkWays : copyWays);
  } catch (error) {
    throw readableDiskError(error, dir);
  }
}

async function isSame(from: string, to: string): Promise<boolean> {
  const found = await stat(to).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isFile() && found.size === (await stat(from)).size && (await sha256(from)) === (await sha256(to))) return true;
  throw new HubError({
    code: 'E_OUTPUT_EXISTS',
    where: to,
    what: 'another file of this name is there',
    fix: 'Choose an empty folder',
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
