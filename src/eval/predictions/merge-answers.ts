import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, writeFileAtomic } from '../../util/index.js';

/** Where a run remembers its answers. */
export const ANSWERS = 'predictions';

/** Whether a folder holds answers of an evaluation. */
export async function hasAnswers(run: string): Promise<boolean> {
  return (await stat(join(run, ANSWERS)).catch(() => undefined))?.isDirectory() === true;
}

/**
 * Brings the answers of runs on other machines together. Their files are named after all that an answer depends on, so none
 * stands for two different ones; what is there stays.
 *
 * @returns how many answers were added.
 * @throws DataError for a folder without answers.
 */
export async function mergeAnswers(from: readonly string[], to: string): Promise<number> {
  let added = 0;
  for (const run of from) {
    if (!(await hasAnswers(run)))
      throw new DataError({
        where: run,
        what: `there is no folder ${ANSWERS}`,
        fix: 'Name run folders in which eval --shard ran',
      });
    const entries = await readdir(join(run, ANSWERS), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.json')) continue;
      const source = join(entry.parentPath, entry.name);
      const target = join(to, source.slice(run.replace(/[\\/]+$/, '').length + 1));
      if ((await stat(target).catch(() => undefined)) !== undefined) continue;
      await writeFileAtomic(target, await readFile(source));
      added += 1;
    }
  }
  return added;
}
