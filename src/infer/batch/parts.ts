import { stat } from 'node:fs/promises';
import { DataError, safePath, UsageError } from '../../util/index.js';
import { type BatchFolder, batchFolderFile, readBatchFolder } from './folder.js';
import { journalFile } from './journal.js';
import type { JournalEntry } from './journal-entry.js';

/** An output folder to merge. */
export interface PartFolder {
  readonly dir: string;
  readonly folder: BatchFolder;
}

/** Parts are untrusted: a link in one may lead to any file of this machine, or to a device that never ends. */
export async function readFolder(dir: string): Promise<PartFolder> {
  for (const name of [batchFolderFile, journalFile]) await ownFile(dir, name);
  return { dir, folder: await readBatchFolder(dir) };
}

/** Path of a file of a part; throws unless it is a regular file inside the part. */
export async function ownFile(dir: string, name: string): Promise<string> {
  const file = await safePath(dir, name, dir);
  const info = await stat(file).catch(() => undefined);
  if (info !== undefined && !info.isFile())
    throw new DataError({ code: 'E_FILE_KIND', where: file, what: 'it is not a file', fix: 'Run this part again' });
  return file;
}

/** Checks that all parts have the same settings, belong to the same division, and none is missing. */
export function checkAll(parts: readonly PartFolder[], partial: boolean): void {
  const [first] = parts;
  for (const { dir, folder } of parts) {
    if (folder.key !== first?.folder.key)
      throw mismatch(
        dir,
        `it was made with other settings or models than ${first?.dir}`,
        'Compare their settings.json; run one of them again',
      );
    if (folder.results !== first.folder.results)
      throw mismatch(
        dir,
        `its results are written in another form than those of ${first.dir}`,
        'Run one of them again with the same --results',
      );
    if (folder.list !== undefined && first.folder.list !== undefined && folder.list !== first.folder.list)
      throw mismatch(
        dir,
        `it is a part of another list of images than ${first.dir}: images may be missing or done twice`,
        'Run its shard again, on the same list',
      );
  }
  const counts = new Set(parts.flatMap(({ folder: { shard } }) => (shard === undefined ? [] : [shard.count])));
  if (counts.size > 1)
    throw mismatch('--from', `the parts are of divisions into ${[...counts].join(' and ')}`, 'Name the parts of one division');
  const [count = 0] = counts;
  const missing = Array.from({ length: count }, (_, i) => i).filter(
    (i) => !parts.some(({ folder }) => folder.shard?.index === i),
  );
  if (missing.length > 0 && !partial)
    throw new UsageError({
      code: 'E_RESULTS_INCOMPLETE',
      where: '--from',
      what: `of ${count} shards ${missing.length === 1 ? 'this one is' : 'these are'} missing: ${missing.join(', ')}`,
      fix: `Run infer with --shard ${missing[0]}/${count}${missing.length === 1 ? '' : ' and so on'}, or add --partial`,
    });
}

/** A line for the user if images of a part are not done. */
export function lackingOf(dir: string, folder: BatchFolder, entries: Iterable<JournalEntry>): string[] {
  let single = 0;
  const several = new Map<string, number>();
  for (const { of } of entries) {
    if (of === undefined) single += 1;
    else several.set(of.id, (several.get(of.id) ?? 0) + 1 / of.count);
  }
  // Of a file with several images, all have to be done.
  const done = single + [...several.values()].filter((share) => share > 1 - 1e-6).length;
  return done < folder.images ? [`${dir}: ${done} of ${folder.images} images are done`] : [];
}

function mismatch(where: string, what: string, fix: string): UsageError {
  return new UsageError({ code: 'E_RESULTS_MISMATCH', where, what, fix });
}
