import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PromptTokenizer } from '../../prompts/index.js';
import { DataError, type Logger, silentLogger, UsageError, unreadableCode, writeFileAtomic } from '../../util/index.js';
import { type BatchFolder, batchFolderFile } from './folder.js';
import { Journal } from './journal.js';
import type { JournalEntry } from './journal-entry.js';
import { mergeTables } from './merge-tables.js';
import { outputNames, prepareOutputs, withBatchLock } from './outputs.js';
import { checkAll, lackingOf, ownFile, type PartFolder, readFolder } from './parts.js';
import type { ResultsForm } from './results-form.js';
import { type ShardTimes, timesOf } from './times.js';

export interface MergeOptions {
  /** Output folders of runs with the same settings and models. */
  readonly from: readonly string[];
  /** Target folder, with the content a single run would have written. It may hold some parts already. */
  readonly to: string;
  /** Merge even if parts are missing. Default: false. */
  readonly partial?: boolean;
  readonly logger?: Logger;
}

export interface MergeSummary {
  readonly images: number;
  readonly found: number;
  /** Description of what the parts lack. */
  readonly lacking: readonly string[];
  readonly results: ResultsForm;
  /** The throughput of the shards, where it was recorded. */
  readonly times: readonly ShardTimes[];
}

interface Part extends PartFolder {
  readonly entries: readonly JournalEntry[];
}

/** Images whose files are copied concurrently. */
const AT_ONCE = 8;

/**
 * Merges the output folders of `infer --shard`: their overlays and masks, and one `results.json`; or their tables of Parquet. The
 * source folders are not changed. Running it again, also with parts finished later, only adds what is new; tables are written
 * again from all parts.
 *
 * @throws UsageError when the parts have different settings, models or lists, or one is missing; DataError when files of a part
 * are missing, or two parts disagree about an image.
 */
export async function mergeBatches({ from, to, partial = false, logger = silentLogger }: MergeOptions): Promise<MergeSummary> {
  const folders = await Promise.all(from.map(readFolder));
  const [first] = folders;
  if (first === undefined)
    throw new UsageError({ code: 'E_OPTION_MISSING', where: '--from', what: 'there is no part', fix: 'Name folders' });
  checkAll(folders, partial);
  const { images, found, lacking } = await withBatchLock(
    to,
    () => (first.folder.results === 'parquet' ? mergeTables(to, folders, partial) : mergeFiles(to, folders, first.folder)),
    logger,
  );
  for (const line of lacking) logger.warn(line);
  return { images, found, lacking, results: first.folder.results ?? 'files', times: await timesOf(from) };
}

async function mergeFiles(to: string, folders: readonly PartFolder[], about: BatchFolder) {
  const parts = await Promise.all(
    folders.map(async ({ dir, folder }) => ({ dir, folder, entries: (await Journal.open(dir, folder.key)).own })),
  );
  const journal = await fill(to, parts, about);
  const lacking = parts.flatMap(({ dir, folder, entries }) => lackingOf(dir, folder, entries));
  return { images: journal.own.length, found: journal.found, lacking };
}

async function fill(to: string, parts: readonly Part[], { shard: _, list: __, ...settings }: BatchFolder): Promise<Journal> {
  const journal = await Journal.open(to, settings.key);
  if (journal.foreign > 0)
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: to,
      what: 'it holds results of other settings or models',
      fix: 'Choose another folder',
    });
  const entries = distinct(parts, journal);
  await prepareOutputs(to, 'files');
  for (let i = 0; i < entries.length; i += AT_ONCE)
    await Promise.all(entries.slice(i, i + AT_ONCE).map(({ dir, entry }) => copyOutputs(dir, to, entry)));
  journal.adopt(entries.map(({ entry }) => entry));
  await journal.start(settings.prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt)));
  const about: BatchFolder = { ...settings, images: journal.own.length };
  await writeFileAtomic(join(to, batchFolderFile), `${JSON.stringify(about, null, 2)}\n`);
  return journal;
}

/** The images that the target lacks, each once. */
function distinct(parts: readonly Part[], journal: Journal): { dir: string; entry: JournalEntry }[] {
  const found = new Map<string, { dir: string; entry: JournalEntry }>();
  for (const { dir, entries } of parts) {
    for (const entry of entries) {
      const other = found.get(entry.id);
      if (other !== undefined && JSON.stringify(other.entry) !== JSON.stringify(entry))
        throw new DataError({
          code: 'E_RESULTS_MISMATCH',
          where: dir,
          what: `its results for ${entry.id} are others than those in ${other.dir}`,
          fix: 'The image is another one, or has changed: give it another name, or run both parts again',
        });
      found.set(entry.id, { dir, entry });
    }
  }
  return [...found.values()].filter(({ entry }) => JSON.stringify(journal.entry(entry.id)) !== JSON.stringify(entry));
}

async function copyOutputs(from: string, to: string, { id, masks }: JournalEntry): Promise<void> {
  for (const name of outputNames(id, masks)) {
    const file = await ownFile(from, name);
    const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
      throw new DataError({
        code: unreadableCode(cause),
        where: file,
        what: `it cannot be read (${cause.code})`,
        fix: 'Run this part again',
        cause,
      });
    });
    await writeFileAtomic(join(to, name), bytes);
  }
}
