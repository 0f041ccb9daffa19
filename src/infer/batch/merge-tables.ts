import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, UsageError, writeFileAtomic } from '../../util/index.js';
import { batchFolderFile, readBatchFolder } from './folder.js';
import { inOrder, journalFile, readJournal } from './journal.js';
import type { JournalEntry } from './journal-entry.js';
import { prepareOutputs } from './outputs.js';
import { writeParquetTables } from './parquet-tables.js';
import { lackingOf, type PartFolder } from './parts.js';

interface Merged {
  readonly images: number;
  readonly found: number;
  readonly lacking: readonly string[];
}

/**
 * Writes the tables of all parts as one, shard after shard: the results of one shard are in memory at a time. A journal is
 * written as well, so that what was merged counts as done.
 *
 * @throws UsageError when the target holds more images, or is not the result of a merge; DataError when two parts have an image.
 */
export async function mergeTables(to: string, folders: readonly PartFolder[], partial: boolean): Promise<Merged> {
  const before = await imagesIn(to, folders);
  await prepareOutputs(to, 'parquet');
  const parts = [...folders].sort((a, b) => (a.folder.shard?.index ?? 0) - (b.folder.shard?.index ?? 0));
  let [images, found] = [0, 0];
  const lacking: string[] = [];
  const owners = new Map<string, string>();
  // Shards of one list share no image; other folders may.
  const indices = new Set(parts.map(({ folder }) => folder.shard?.index));
  const areShards = indices.size === parts.length && parts.every(({ folder }) => folder.list !== undefined);
  await writeFileAtomic(join(to, journalFile), async (journal) => {
    await writeParquetTables(to, entriesOf());
    async function* entriesOf(): AsyncGenerator<JournalEntry> {
      for (const { dir, folder } of parts) {
        const entries = new Map<string, JournalEntry>();
        for await (const entry of readJournal(dir)) if (entry.settings === folder.key) entries.set(entry.id, entry);
        lacking.push(...lackingOf(dir, folder, entries.values()));
        for (const entry of inOrder(entries.values())) {
          if (!areShards) claim(owners, entry.id, dir);
          images += 1;
          found += entry.results.length;
          await journal.writeFile(`${JSON.stringify(entry)}\n`);
          yield entry;
        }
      }
      if (images < before && !partial)
        throw new UsageError({
          code: 'E_OUTPUT_EXISTS',
          where: to,
          what: `it holds ${before} images, and these parts ${images}`,
          fix: 'Name all parts: tables are written again from all of them',
        });
    }
  });
  const [{ folder }] = parts as [PartFolder];
  const { shard: _, list: __, ...settings } = folder;
  await writeFileAtomic(join(to, batchFolderFile), `${JSON.stringify({ ...settings, images }, null, 2)}\n`);
  return { images, found, lacking };
}

function claim(owners: Map<string, string>, id: string, dir: string): void {
  const other = owners.get(id);
  if (other !== undefined)
    throw new DataError({
      code: 'E_RESULTS_MISMATCH',
      where: dir,
      what: `it holds ${id}, like ${other}`,
      fix: 'Name each part once; the parts of one list share no image',
    });
  owners.set(id, dir);
}

/** The number of images that an earlier merge left in the target. */
async function imagesIn(to: string, [first]: readonly PartFolder[]): Promise<number> {
  const file = join(to, batchFolderFile);
  if ((await stat(file).catch(() => undefined)) === undefined) return 0;
  const { key, results, images } = await readBatchFolder(to);
  if (key === first?.folder.key && results === 'parquet') return images;
  throw new UsageError({
    code: 'E_OUTPUT_EXISTS',
    where: to,
    what: 'it holds results of other settings or models, or in another form',
    fix: 'Choose another folder',
  });
}
