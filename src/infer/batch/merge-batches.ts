import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PromptTokenizer } from '../../prompts/index.js';
import { DataError, type Logger, safePath, silentLogger, UsageError, unreadableCode, writeFileAtomic } from '../../util/index.js';
import { type BatchFolder, batchFolderFile, readBatchFolder } from './folder.js';
import { Journal, type JournalEntry, journalFile } from './journal.js';
import { outputNames, prepareOutputs, withBatchLock } from './outputs.js';

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
}

/** Images whose files are copied concurrently. */
const AT_ONCE = 8;

interface Part {
  readonly dir: string;
  readonly folder: BatchFolder;
  readonly entries: readonly JournalEntry[];
}

/**
 * Merges the output folders of `infer --shard`: their overlays and masks, and one `results.json`. The source folders are not
 * changed. Running it again, also with parts finished later, only adds what is new.
 *
 * @throws UsageError when the parts have different settings or models, or one is missing; DataError when files of a part are
 * missing, or two parts disagree about an image.
 */
export async function mergeBatches({ from, to, partial = false, logger = silentLogger }: MergeOptions): Promise<MergeSummary> {
  const parts = await Promise.all(from.map(readPart));
  const [first] = parts;
  if (first === undefined)
    throw new UsageError({ code: 'E_OPTION_MISSING', where: '--from', what: 'there is no part', fix: 'Name folders' });
  for (const { dir, folder } of parts)
    if (folder.key !== first.folder.key)
      throw new UsageError({
        code: 'E_RESULTS_MISMATCH',
        where: dir,
        what: `it was made with other settings or models than ${first.dir}`,
        fix: 'Compare their settings.json; run one of them again',
      });
  checkAll(parts, partial);
  const journal = await withBatchLock(to, () => fill(to, parts, first.folder), logger);
  const lacking = parts
    .filter(({ folder, entries: done }) => done.length < folder.images)
    .map(({ dir, folder, entries: done }) => `${dir}: ${done.length} of ${folder.images} images are done`);
  for (const line of lacking) logger.warn(line);
  return { images: journal.own.length, found: journal.found, lacking };
}

async function fill(to: string, parts: readonly Part[], { shard: _, ...settings }: BatchFolder): Promise<Journal> {
  const journal = await Journal.open(to, settings.key);
  if (journal.foreign > 0)
    throw new UsageError({
      code: 'E_OUTPUT_EXISTS',
      where: to,
      what: 'it holds results of other settings or models',
      fix: 'Choose another folder',
    });
  const entries = distinct(parts, journal);
  await prepareOutputs(to);
  for (let i = 0; i < entries.length; i += AT_ONCE)
    await Promise.all(entries.slice(i, i + AT_ONCE).map(({ dir, entry }) => copyOutputs(dir, to, entry)));
  journal.adopt(entries.map(({ entry }) => entry));
  await journal.start(settings.prompts.flatMap((prompt) => PromptTokenizer.parsePrompt(prompt)));
  const about: BatchFolder = { ...settings, images: journal.own.length };
  await writeFileAtomic(join(to, batchFolderFile), `${JSON.stringify(about, null, 2)}\n`);
  return journal;
}

/** Parts are untrusted: a link in one may lead to any file of this machine, or to a device that never ends. */
async function readPart(dir: string): Promise<Part> {
  for (const name of [batchFolderFile, journalFile]) await ownFile(dir, name);
  const folder = await readBatchFolder(dir);
  return { dir, folder, entries: (await Journal.open(dir, folder.key)).own };
}

/** Checks that all parts belong to the same division and none is missing. */
function checkAll(parts: readonly Part[], partial: boolean): void {
  const counts = new Set(parts.flatMap(({ folder: { shard } }) => (shard === undefined ? [] : [shard.count])));
  if (counts.size > 1)
    throw new UsageError({
      code: 'E_RESULTS_MISMATCH',
      where: '--from',
      what: `the parts are of divisions into ${[...counts].join(' and ')}`,
      fix: 'Name the parts of one division',
    });
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

/** Path of a file of a part; throws unless it is a regular file inside the part. */
async function ownFile(dir: string, name: string): Promise<string> {
  const file = await safePath(dir, name, dir);
  const info = await stat(file).catch(() => undefined);
  if (info !== undefined && !info.isFile())
    throw new DataError({ code: 'E_FILE_KIND', where: file, what: 'it is not a file', fix: 'Run this part again' });
  return file;
}
