import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DataError, safePath, withFolderLock, writeFileAtomic } from '../../util/index.js';

/** Subfolder of a run with its cached answers. */
export const ANSWERS = 'predictions';

/** Whether a folder contains cached answers. */
export async function hasAnswers(run: string): Promise<boolean> {
  return (await stat(join(run, ANSWERS)).catch(() => undefined))?.isDirectory() === true;
}

/**
 * Merges the cached answers of runs on other machines. File names encode everything that an answer depends on, so equal names
 * mean equal answers; existing files are kept.
 *
 * @returns the number of answers added.
 * @throws DataError for a folder without answers, or whose answers lie elsewhere; InUseError when another process works in `to`.
 */
export async function mergeAnswers(from: readonly string[], to: string): Promise<number> {
  const about = { where: to, doing: 'is working in it', instead: 'choose another --to' };
  return withFolderLock(join(to, '.lock'), about, () => addAnswers(from, to));
}

async function addAnswers(from: readonly string[], to: string): Promise<number> {
  let added = 0;
  for (const run of from) {
    if (!(await hasAnswers(run)))
      throw new DataError({
        code: 'E_FILE_NOT_FOUND',
        where: run,
        what: `there is no folder ${ANSWERS}`,
        fix: 'Name run folders in which eval --shard ran',
      });
    // An untrusted folder may contain links to any file of this machine.
    const entries = await readdir(await safePath(run, ANSWERS, run), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.json')) continue;
      const source = join(entry.parentPath, entry.name);
      const target = join(to, relative(run, source));
      if ((await stat(target).catch(() => undefined)) !== undefined) continue;
      await writeFileAtomic(target, await readFile(source));
      added += 1;
    }
  }
  return added;
}
